"""Connecting a Label Studio project with samserve: what takes a dozen clicks, done so that doing it again is fine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from server.errors import StudioRefused
from server.studio.api import StudioApi
from server.studio.patch import RECOMMENDED, completed

Say = Callable[[str], None]
Ask = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Connection:
    """How Label Studio shall call samserve.

    Attributes:
        url: where Label Studio reaches it.
        extra_params: its answer options for this project; None leaves those that are set.
    """

    url: str
    title: str = "samserve"
    user: str = ""
    password: str = ""
    extra_params: dict[str, Any] | None = None


async def create(api: StudioApi, title: str, images: Sequence[Path], say: Say) -> int:
    """A new project with the recommended labeling config and a task for each image; its number."""
    number = int((await api.create_project(title, RECOMMENDED))["id"])
    say(f"created project {number}, {title!r}")
    for done, path in enumerate(images, 1):
        await api.upload(number, [path])
        say(f"uploaded {path.name} ({done} of {len(images)})")
    return number


async def connect(api: StudioApi, project: int, connection: Connection, say: Say, ask: Ask) -> None:
    """Completes the labeling config (after asking), connects the model and its webhook.

    Raises:
        StudioRefused: Label Studio does not do it, with its reason and the way out.
        BadLabelConfig: the labeling config shows no image.
    """
    await _complete_config(api, project, say, ask)
    await _connect_model(api, project, connection, say)
    hook = connection.url.rstrip("/") + "/webhook"
    if all(known["url"] != hook for known in await api.webhooks(project)):
        await api.create_webhook(project, hook)
        say(f"added the webhook {hook}")


async def _complete_config(api: StudioApi, project: int, say: Say, ask: Ask) -> None:
    before = str((await api.project(project))["label_config"] or "<View></View>")
    after = completed(before)
    if after == before:
        say("the labeling config has all that smart tools need")
        return
    lines = unified_diff(before.splitlines(), after.splitlines(), "labeling config", "with smart tools", lineterm="")
    say("\n".join(lines))
    if ask("Change the labeling config like this?"):
        await api.set_label_config(project, after)
        say("changed the labeling config")
    else:
        say("left the labeling config as it is")


async def _connect_model(api: StudioApi, project: int, connection: Connection, say: Say) -> None:
    same = [known for known in await api.backends(project) if known["url"].rstrip("/") == connection.url.rstrip("/")]
    wanted: dict[str, Any] = {"url": connection.url, "project": project, "is_interactive": True}
    wanted |= {"title": same[0]["title"] if same else connection.title}
    if connection.user:
        wanted |= {"auth_method": "BASIC_AUTH", "basic_auth_user": connection.user}
        wanted |= {"basic_auth_pass": connection.password}
    if connection.extra_params is not None:
        wanted["extra_params"] = connection.extra_params
    try:
        await api.put_backend(same[0]["id"] if same else None, wanted)
    except StudioRefused as error:
        raise StudioRefused(f"{error}{_hint(str(error), connection.url)}", error.status) from None
    say(f"{'renewed the connection' if same else 'connected'} to {connection.url}")


def _hint(reason: str, url: str) -> str:
    if "reserved" in reason or "private" in reason or "local" in reason.lower():
        return (
            "\nLabel Studio 1.23.1 and newer call private addresses only when started with "
            "ML_BLOCK_LOCAL_IP=false SSRF_PROTECTION_ENABLED=false"
        )
    if "://localhost" in url or "://127." in url:
        return "\nIf Label Studio runs in a container, localhost is that container: give it an address with --url"
    return ""
