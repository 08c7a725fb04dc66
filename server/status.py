"""Asking a running server where its background work stands, and saying it to people."""

import httpx
import msgspec

from server.core.tier_counts import TierCounts
from server.errors import ServerUnreachable
from server.service.standing import Standing

_SECONDS = 10.0


def ask(url: str, user: str, password: str, transport: httpx.BaseTransport | None = None) -> Standing:
    """Where the server at `url` stands.

    Raises:
        ServerUnreachable: no samserve answers there, or not to this user.
    """
    auth = httpx.BasicAuth(user, password) if user else None
    try:
        with httpx.Client(auth=auth, timeout=_SECONDS, transport=transport, trust_env=False) as client:
            answer = client.get(f"{url}/precompute")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServerUnreachable(f"no samserve answers at {url} ({error}); give its --url") from None
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise ServerUnreachable(f"{url} wants BASIC_AUTH_USER and BASIC_AUTH_PASS; set them as for that server")
    try:
        return msgspec.json.decode(answer.content, type=Standing)
    except msgspec.MsgspecError:
        raise ServerUnreachable(
            f"{answer.status_code} from {url}/precompute: is this samserve, of this version?"
        ) from None


def describe(standing: Standing) -> list[str]:
    """The standing in lines for people."""
    return [
        f"in advance  {standing.done:,} images done, {standing.failed:,} failed",
        "            waiting  fetched  given up",
        *(
            f"{name.replace('_', ' '):10} {lane.backlog:>8,} {lane.queue:>8,} {lane.dropped + lane.refused:>9,}"
            for name, lane in standing.lanes.items()
        ),
        *map(_tier, standing.tiers),
    ]


def _tier(tier: TierCounts) -> str:
    asked = tier.hits + tier.misses
    parts = [f"{tier.hits:,} of {asked:,} look-ups found" + (f" ({tier.hits / asked:.0%})" if asked else "")]
    if tier.bytes is not None:
        parts.append(f"{tier.bytes / (1 << 20):,.0f} MiB held")
    lost = {"not written": tier.dropped_writes, "refused by the disk": tier.failures, "damaged": tier.damaged}
    parts += [f"{number:,} {what}" for what, number in lost.items() if number]
    return f"{tier.tier:11} {', '.join(parts)}"
