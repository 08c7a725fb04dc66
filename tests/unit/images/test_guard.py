"""Which addresses images may come from."""

import asyncio
import socket
import threading

import pytest

from server.errors import BadSettings, ImageRefused, ImageUnavailable
from server.images.guard import AddressPolicy
from server.images.http import HttpImages
from tests.unit.images.closing import bodies
from tests.unit.images.conftest import LocalServer, Names, Reply
from tests.waiting import run, until

_PUBLIC_ONLY = AddressPolicy.allowing([])


def fetch(url: str, *allowed: str) -> bytes:
    (body,) = bodies(HttpImages(AddressPolicy.allowing(allowed), max_bytes=1 << 20, seconds=5), url)
    return body


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "::",
        "::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
    ],
)
def test_non_public_addresses_are_refused(address: str) -> None:
    assert not _PUBLIC_ONLY.allows("images.example", address)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "64:ff9b::7f00:1",
        "64:ff9b::10.0.0.1",
    ],
)
def test_non_public_ipv4_addresses_inside_ipv6_ones_are_refused(address: str) -> None:
    assert not _PUBLIC_ONLY.allows("images.example", address)


@pytest.mark.parametrize("address", ["fec0::1", "::127.0.0.1", "::ffff:0:127.0.0.1"])
def test_deprecated_non_public_ipv6_addresses_are_refused(address: str) -> None:
    assert not _PUBLIC_ONLY.allows("images.example", address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_public_addresses_are_allowed(address: str) -> None:
    assert _PUBLIC_ONLY.allows("images.example", address)


def test_a_listed_host_name_is_allowed_whatever_its_case_and_address() -> None:
    policy = AddressPolicy.allowing(["MinIO.internal"])
    assert policy.allows("minio.INTERNAL", "10.1.2.3")
    assert not policy.allows("evil.minio.internal", "10.1.2.3")
    assert not policy.allows("minio.internal.evil", "10.1.2.3")


def test_a_listed_address_is_allowed_and_its_neighbour_is_not() -> None:
    policy = AddressPolicy.allowing(["10.1.2.3", "::1"])
    assert policy.allows("any.example", "10.1.2.3")
    assert policy.allows("any.example", "::ffff:10.1.2.3")
    assert policy.allows("any.example", "::1")
    assert not policy.allows("any.example", "10.1.2.4")


@pytest.mark.parametrize("network", ["10.1.0.0/16", "10.1.2.3/16"])
def test_a_listed_network_is_allowed_and_its_neighbour_is_not(network: str) -> None:
    policy = AddressPolicy.allowing([network, "fd00::/8"])
    assert policy.allows("any.example", "10.1.255.255")
    assert policy.allows("any.example", "fd99::1")
    assert not policy.allows("any.example", "10.2.0.0")
    assert not policy.allows("any.example", "fe80::1")


@pytest.mark.parametrize("entry", ["10.0.0.0/33", "minio/24", "http://minio", "minio:9000", "[::1]", "fd00:::/8"])
def test_an_entry_that_is_no_host_address_or_network_stops_the_start(entry: str) -> None:
    with pytest.raises(BadSettings) as caught:
        AddressPolicy.allowing(["fine.example", entry])
    assert repr(entry) in str(caught.value)
    assert "SAMSERVE_ALLOW_HOSTS" in str(caught.value)


def test_an_allowed_server_is_reached_by_name_address_or_network(server: LocalServer) -> None:
    url = server.on("/cat.png", Reply(b"cat"))
    assert fetch(url, "127.0.0.1") == b"cat"
    assert fetch(url, "127.0.0.0/8") == b"cat"
    assert fetch(f"http://localhost:{server.port}/cat.png", "localhost") == b"cat"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"])
def test_a_loopback_url_is_refused_and_nothing_is_sent(server: LocalServer, host: str) -> None:
    server.on("/", Reply(b"secret"))
    with pytest.raises((ImageRefused, ImageUnavailable)):
        fetch(f"http://{host}:{server.port}/")
    assert server.seen == []


def test_a_refusal_names_host_address_and_setting(server: LocalServer, names: Names) -> None:
    names.addresses["cdn.example"] = ["127.0.0.1"]
    with pytest.raises(ImageRefused) as caught:
        fetch(f"http://cdn.example:{server.port}/cat.png")
    assert "cdn.example is the non-public address 127.0.0.1" in str(caught.value)
    assert "SAMSERVE_ALLOW_HOSTS=cdn.example" in str(caught.value)


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_a_name_that_looks_public_is_refused_for_its_loopback_address(
    server: LocalServer, names: Names, address: str
) -> None:
    server.on("/cat.png", Reply(b"cat"))
    names.addresses["cdn.example"] = [address]
    with pytest.raises(ImageRefused):
        fetch(f"http://cdn.example:{server.port}/cat.png")
    assert server.seen == []


def test_of_a_names_addresses_only_the_allowed_ones_are_tried(server: LocalServer, names: Names) -> None:
    server.on("/cat.png", Reply(b"cat"))
    names.addresses["cdn.example"] = ["169.254.169.254", "10.0.0.1", "127.0.0.1"]
    assert fetch(f"http://cdn.example:{server.port}/cat.png", "127.0.0.1") == b"cat"


def test_the_next_address_is_tried_when_one_does_not_answer(server: LocalServer, names: Names) -> None:
    server.on("/cat.png", Reply(b"cat"))
    names.addresses["cdn.example"] = ["::1", "127.0.0.1"]
    assert fetch(f"http://cdn.example:{server.port}/cat.png", "cdn.example") == b"cat"


def test_a_name_is_resolved_once_so_it_cannot_change_between_check_and_use(server: LocalServer, names: Names) -> None:
    server.on("/cat.png", Reply(b"cat"))
    names.addresses["cdn.example"] = ["127.0.0.1"]
    assert fetch(f"http://cdn.example:{server.port}/cat.png", "127.0.0.1") == b"cat"
    assert names.looked_up == ["cdn.example"]


def test_a_name_without_addresses_is_unavailable(names: Names) -> None:
    names.addresses["cdn.example"] = []
    with pytest.raises(ImageUnavailable, match=r"cdn\.example has no address"):
        fetch("http://cdn.example/cat.png")


def test_a_name_that_does_not_resolve_is_unavailable() -> None:
    with pytest.raises(ImageUnavailable, match="does not resolve"):
        fetch(f"http://{'a' * 80}.example/cat.png")  # too long a label: fails before any name server is asked


def test_a_redirect_from_an_allowed_host_to_a_refused_one_is_refused(
    server: LocalServer, other_server: LocalServer
) -> None:
    secret = other_server.on("/latest/meta-data", Reply(b"secret"))
    server.on("/cat.png", Reply(status=302, headers={"Location": secret}))
    with pytest.raises(ImageRefused, match=r"127\.0\.0\.1"):
        fetch(f"http://localhost:{server.port}/cat.png", "localhost")
    assert len(server.seen) == 1
    assert other_server.seen == []


def test_slow_name_servers_hold_up_nothing_but_look_ups(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up, answered = list[object](), threading.Event()

    def getaddrinfo(*args: object, **kwargs: object) -> list[object]:
        looked_up.append(args)
        answered.wait(10)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr("server.images.guard._LOOK_UPS_AT_ONCE", 2)

    async def meanwhile() -> str:
        images = HttpImages(_PUBLIC_ONLY, max_bytes=1 << 20, seconds=5)
        fetches = [asyncio.create_task(images.fetch(f"http://slow{number}.example/")) for number in range(64)]
        try:
            await until(lambda: len(looked_up) == 2)
            return await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 5)
        finally:
            answered.set()
            await asyncio.gather(*fetches, return_exceptions=True)
            await images.close()

    assert run(meanwhile()) == "done"
