"""Connecting a Label Studio project with samserve: what takes a dozen clicks, done so that doing it again is fine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Any

from server.errors import StudioRefused
from server.studio.api import StudioApi
from server.studio.connections import Connections, in_the_way, seen_from
from server.studio.patch import RECOMMENDED, completed

Say = Callable[[str], None]
Ask = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Connection:
    """How Label Studio shall call samserve.

    Attributes:
        url: where Label Studio reaches it.
        extra_params: its answer options for this project; None leaves those that are set.
        version: of the model that it serves, where that is known: so are older connections of it.
    """

    url: str
    title: str = "samserve"
    user: str = ""
    password: str = ""
    extra_params: dict[str, Any] | None = None
    version: str = ""


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
    replaced = await _connect_model(api, project, connection, say, ask)
    await _connect_webhook(api, project, connection.url, replaced, say)
    if advice := in_the_way(connection.url, await api.backends(project)):
        say(f"but {advice}")


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


async def _connect_model(
    api: StudioApi, project: int, connection: Connection, say: Say, ask: Ask
) -> Sequence[dict[str, Any]]:
    """Connects it, in the place of samserve's own dead connections if they may go; gives those."""
    found = await _own(api, project, connection, say, ask)
    kept = found.kept
    try:
        await api.put_backend(kept["id"] if kept else None, _wanted(project, connection, kept))
    except StudioRefused as error:
        raise StudioRefused(f"{error}{_hint(str(error), connection.url)}", error.status) from None
    say(f"{'renewed the connection' if found.here else 'connected'} to {connection.url}")
    for dead in found.dead:
        if dead is not kept:
            await api.delete_backend(dead["id"])
    return found.dead


async def _own(api: StudioApi, project: int, connection: Connection, say: Say, ask: Ask) -> Connections:
    backends = await api.backends(project)
    found = seen_from(connection.url, connection.title, connection.version, backends)
    if not found.dead:
        return found
    say(f"{found.replaced}\n+  {connection.url}")
    if ask("Replace the connection like this?"):
        return found
    say("left the old connection as it is")
    return Connections(found.here, ())


def _wanted(project: int, connection: Connection, kept: dict[str, Any] | None) -> dict[str, Any]:
    wanted: dict[str, Any] = {"url": connection.url, "project": project, "is_interactive": True}
    wanted |= {"title": kept["title"] if kept else connection.title}
    if connection.user:
        wanted |= {"auth_method": "BASIC_AUTH", "basic_auth_user": connection.user}
        wanted |= {"basic_auth_pass": connection.password}
    if connection.extra_params is not None:
        wanted["extra_params"] = connection.extra_params
    return wanted


async def _connect_webhook(
    api: StudioApi, project: int, url: str, replaced: Sequence[dict[str, Any]], say: Say
) -> None:
    hooks = await api.webhooks(project)
    wanted, gone = _webhook(url), {_webhook(dead["url"]) for dead in replaced}
    for hook in hooks:
        if hook["url"] in gone:
            await api.delete_webhook(hook["id"])
            say(f"removed the webhook {hook['url']}")
    if all(hook["url"] != wanted for hook in hooks):
        await api.create_webhook(project, wanted)
        say(f"added the webhook {wanted}")


def _webhook(url: str) -> str:
    return url.rstrip("/") + "/webhook"


def _hint(reason: str, url: str) -> str:
    if "reserved" in reason or "private" in reason or "local" in reason.lower():
        return (
            "\nLabel Studio 1.23.1 and newer call private addresses only when started with "
            "ML_BLOCK_LOCAL_IP=false SSRF_PROTECTION_ENABLED=false"
        )
    if "://localhost" in url or "://127." in url:
        return "\nIf Label Studio runs in a container, localhost is that container: give it an address with --url"
    return ""
