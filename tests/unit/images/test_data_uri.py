"""Images that travel inside their reference."""

import base64

import pytest

from server.errors import ImageRefused, ImageUnreadable
from server.images.data_uri import decode_data_uri

_BYTES = bytes(range(256))


def test_base64_data_is_decoded() -> None:
    uri = "data:image/png;base64," + base64.b64encode(_BYTES).decode()
    assert decode_data_uri(uri, 1000) == _BYTES


def test_scheme_and_base64_marker_may_be_in_upper_case() -> None:
    assert decode_data_uri("DATA:image/png;BASE64,aGk=", 100) == b"hi"


def test_percent_encoded_base64_is_decoded() -> None:
    assert decode_data_uri("data:image/png;base64,aGk%3D", 100) == b"hi"


def test_data_without_base64_is_percent_decoded() -> None:
    assert decode_data_uri("data:text/plain,a%20b%2Cc,d", 100) == b"a b,c,d"


def test_a_uri_without_data_is_empty() -> None:
    assert decode_data_uri("data:,", 100) == b""


def test_a_uri_without_a_comma_is_unreadable() -> None:
    with pytest.raises(ImageUnreadable, match="comma"):
        decode_data_uri("data:image/png;base64", 100)


@pytest.mark.parametrize("payload", ["a", "aGk", "a*k=", "aGk=aGk=", "\u00e9\u00e9\u00e9\u00e9"])
def test_broken_base64_is_unreadable(payload: str) -> None:
    with pytest.raises(ImageUnreadable, match="base64"):
        decode_data_uri(f"data:image/png;base64,{payload}", 100)


def test_more_than_the_limit_is_refused_and_the_message_names_the_setting() -> None:
    uri = "data:image/png;base64," + base64.b64encode(bytes((2 << 20) + 3)).decode()
    with pytest.raises(ImageRefused, match=r"more than 2 MiB.*SAMSERVE_MAX_IMAGE_MIB"):
        decode_data_uri(uri, 2 << 20)


def test_a_huge_broken_uri_is_refused_without_being_decoded() -> None:
    with pytest.raises(ImageRefused):
        decode_data_uri("data:image/png;base64," + "*" * 1000, 100)


def test_base64_data_of_exactly_the_limit_is_decoded() -> None:
    assert decode_data_uri("data:image/png;base64," + base64.b64encode(bytes(100)).decode(), 100) == bytes(100)


def test_data_without_base64_has_the_same_limit() -> None:
    with pytest.raises(ImageRefused):
        decode_data_uri("data:text/plain," + "a" * 101, 100)


def test_percent_encoding_does_not_count_against_the_limit() -> None:
    assert decode_data_uri("data:application/octet-stream," + "%00" * 90, 100) == bytes(90)


def test_data_that_would_take_long_to_unescape_is_refused() -> None:
    with pytest.raises(ImageRefused, match="plain base64"):
        decode_data_uri("data:image/png," + "%41" * (1 << 20), 100 << 20)
