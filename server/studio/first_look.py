"""What a samserve says when it is asked directly, before Label Studio is told to call it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from server.errors import ServerUnreachable
from server.studio.served import Served

_BLOCKED = "reserved network address", "private network addresses"  # as Label Studio says it, in one way or another
_LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What was seen of a samserve from here.

    Attributes:
        version: of the model that it serves; empty where it was not reached.
        unreached: why it was not, which only Label Studio may be able to; else empty.
    """

    version: str = ""
    unreached: str = ""


async def look_at(served: Served, label_config: str, extra_params: dict[str, Any] | None) -> FirstLook:
    """Asks for its health, and whether it takes a labeling config and options.

    Raises:
        ServerRefused: it does not, or not from this user.
    """
    try:
        version = await served.version()
        await served.set_up(label_config, extra_params)
    except ServerUnreachable as error:
        return FirstLook(unreached=str(error))
    return FirstLook(version)


def hint(refusal: str, url: str, seen: FirstLook) -> str:
    """The likely way out where Label Studio does not call `url`; empty where none is likelier than others."""
    if any(words in refusal for words in _BLOCKED):
        return (
            "\nLabel Studio 1.23.1 and newer call private addresses only when started with "
            "ML_BLOCK_LOCAL_IP=false SSRF_PROTECTION_ENABLED=false"
        )
    if seen.unreached:
        return f"\nAsked from here: {seen.unreached}. Is samserve running, and is that its address (--url)?"
    if urlsplit(url).hostname in _LOCAL:
        return (
            "\nFrom here samserve answers. If Label Studio runs in a container, localhost is that container: give it "
            "another address with --url"
        )
    return "\nFrom here samserve answers: look at what is between Label Studio and samserve"
