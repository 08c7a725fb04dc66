"""Connecting a Label Studio project with samserve: what takes a dozen clicks, done so that doing it again is fine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from server.errors import BadLabelConfig, StudioRefused
from server.studio.api import StudioApi
from server.studio.connections import Connections, in_the_way, seen_from
from server.studio.first_look import hint, look_at
from server.studio.patch import completed, lacking, shapes_without_masks
from server.studio.served import Served

Say = Callable[[str], None]
Ask = Callable[[str], bool]
_Change = tuple[str, str, str | None]  # a labeling config before and after, for which output


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


async def connect(api: StudioApi, served: Served, project: int, connection: Connection, say: Say, ask: Ask) -> None:
    """Completes the labeling config (after asking), connects the model and its webhook.

    `served` is the same samserve as seen from here, which is asked first.

    Raises:
        ServerRefused: samserve does not take the labeling config or the options, or wants a password.
        StudioRefused: Label Studio does not do it, with its reason and the way out.
        BadLabelConfig: the labeling config shows no image, or may not get what smart tools cannot do without.
    """
    backends = await api.backends(project)
    known = seen_from(connection.url, connection.title, "", backends).kept or {}
    given = known.get("extra_params") if connection.extra_params is None else connection.extra_params
    before = str((await api.project(project))["label_config"] or "<View></View>")
    output = (given or {}).get("output")
    after = completed(before, output)
    seen = await look_at(served, after, given)
    if not output and (shapes := shapes_without_masks(before)):
        say(_masks_instead(shapes))
    await _complete_config(api, project, (before, after, output), say, ask)
    found = _own(seen_from(connection.url, connection.title, seen.version, backends), connection.url, say, ask)
    try:
        await _connect_model(api, project, connection, found, say)
    except StudioRefused as error:
        raise StudioRefused(f"{error}{hint(str(error), connection.url, seen)}", error.status) from None
    await _connect_webhook(api, project, connection.url, found.dead, say)
    if advice := in_the_way(connection.url, await api.backends(project)):
        say(f"but {advice}")


async def _complete_config(
    api: StudioApi, project: int, change: tuple[str, str, str | None], say: Say, ask: Ask
) -> None:
    before, after, output = change
    if after == before:
        say("the labeling config has all that smart tools need")
        return
    lines = unified_diff(before.splitlines(), after.splitlines(), "labeling config", "with smart tools", lineterm="")
    say("\n".join(lines))
    if ask("Change the labeling config like this?"):
        await api.set_label_config(project, after)
        say("changed the labeling config")
        return
    if missing := lacking(before, output):
        raise BadLabelConfig(f"smart tools do not work without {missing}, so nothing was connected: add what is above")
    say("left the labeling config as it is")


def _masks_instead(shapes: Sequence[str]) -> str:
    return (
        f"The labeling config has {' and '.join(shapes)} controls and none for masks: with the one below, masks will "
        f"be the answer of all smart tools, also of smart boxes. To be answered {shapes[0]}s instead, give "
        f'--options \'{{"output": "{shapes[0]}"}}\''
    )


def _own(found: Connections, url: str, say: Say, ask: Ask) -> Connections:
    """Without the dead ones if they may not be replaced."""
    if not found.dead:
        return found
    say(f"{found.replaced}\n+  {url}")
    if ask("Replace the connection like this?"):
        return found
    say("left the old connection as it is")
    return Connections(found.here, ())


async def _connect_model(api: StudioApi, project: int, connection: Connection, found: Connections, say: Say) -> None:
    kept = found.kept
    await api.put_backend(kept["id"] if kept else None, _wanted(project, connection, kept))
    say(f"{'renewed the connection' if found.here else 'connected'} to {connection.url}")
    for dead in found.dead:
        if dead is not kept:
            await api.delete_backend(dead["id"])


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
