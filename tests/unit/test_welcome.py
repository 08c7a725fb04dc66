"""What a started server says of itself."""

import pytest

from server.settings import Settings
from server.welcome import welcome

OPEN = "Whoever reaches this port"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://localhost:9191/sam"),
        ("::", "http://localhost:9191/sam"),
        ("127.0.0.1", "http://127.0.0.1:9191/sam"),
        ("::1", "http://[::1]:9191/sam"),
        ("gpu.lan", "http://gpu.lan:9191/sam"),
    ],
)
def test_it_says_where_it_is(host: str, url: str) -> None:
    told = welcome(Settings(host=host, port=9191, base_path="/sam"), "tiny-1")
    assert told.splitlines()[1].endswith(f" serves tiny-1 on {url}")
    assert f"paste\n    {url}\n" in told
    assert told.endswith(f"{url}/playground\n")


def test_where_it_listens_everywhere_it_says_what_containers_and_other_machines_use() -> None:
    told = welcome(Settings(port=9191, base_path="/sam"), "tiny-1")
    assert "from Docker on it http://host.docker.internal:9191/sam, on Linux with" in told
    assert OPEN in told


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_on_a_loopback_address_it_says_that_nothing_else_reaches_it(host: str) -> None:
    told = welcome(Settings(host=host), "tiny-1")
    assert f"neither containers nor other machines reach {host}" in told
    assert OPEN not in told


def test_with_a_password_it_does_not_call_itself_open() -> None:
    assert OPEN not in welcome(Settings(basic_auth_user="me", basic_auth_pass="secret"), "tiny-1")
