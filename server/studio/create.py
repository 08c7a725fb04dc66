"""Making a Label Studio project of images, once all is checked that can be without one."""

from collections.abc import Sequence
from pathlib import Path

from server.errors import SamserveError, ServerUnreachable, StudioRefused
from server.studio.api import StudioApi
from server.studio.connect import Ask, Connection, Say
from server.studio.first_look import hint, look_at
from server.studio.patch import completed
from server.studio.served import Served


async def check(api: StudioApi, served: Served, connection: Connection, ask: Ask) -> None:
    """Finds, before a project is made, why it could not be connected.

    Raises:
        ServerRefused: samserve does not take the options, or wants a password.
        ServerUnreachable: it does not answer, and nobody says that Label Studio reaches it all the same.
        StudioRefused: Label Studio may not call it.
    """
    seen = await look_at(served, recommended(connection), connection.extra_params)
    if seen.unreached and not ask(f"{seen.unreached}. Go on, because Label Studio reaches it?"):
        raise ServerUnreachable(f"{seen.unreached}: start it, or give its --url. Nothing was made")
    try:
        await api.check_address(connection.url)
    except StudioRefused as error:
        raise StudioRefused(f"{error}{hint(str(error), connection.url, seen)}", error.status) from None


def recommended(connection: Connection) -> str:
    """The labeling config of a new project, with a control for the output that the options force."""
    return completed("<View></View>", (connection.extra_params or {}).get("output"))


async def create(api: StudioApi, title: str, label_config: str, say: Say) -> int:
    """A new project; its number."""
    number = int((await api.create_project(title, label_config))["id"])
    say(f"created project {number}, {title!r}")
    return number


async def upload(api: StudioApi, project: int, images: Sequence[Path], say: Say) -> None:
    """A task for each image.

    Raises:
        StudioRefused: Label Studio does not take one; the message says which are left.
    """
    for done, path in enumerate(images):
        try:
            await api.upload(project, [path])
        except SamserveError as error:
            left = f"{len(images) - done} of {len(images)} images are left, from {path.name} on"
            raise StudioRefused(f"{error}\n{left}: import them in Label Studio") from None
        say(f"uploaded {path.name} ({done + 1} of {len(images)})")
