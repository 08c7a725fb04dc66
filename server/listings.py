"""What a crawl is asked to go through: a project, an export, or files."""

from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from pathlib import Path

from server.core.guess import guessed_references
from server.core.labelconfig import LabelConfig, parse_label_config
from server.core.reference import ImageReference
from server.core.task import image_references
from server.engine import STUDIO_UNSET, studio_api
from server.errors import BadLabelConfig, BadSettings, BadTask
from server.service.crawl import Listing
from server.service.ports import TaskSource
from server.service.project_images import PAUSES, Shown, images_by_task
from server.service.retries import retried
from server.settings import Settings
from server.studio.api import login_of
from server.studio.export import read_export


async def project_listing(
    settings: Settings, project: int, source: TaskSource | None, told: Callable[[str], None]
) -> Listing:
    """All tasks of a project of Label Studio's; `told` hears why it takes long.

    Raises:
        SamserveError: Label Studio is not set, does not answer for a minute, or refuses; or nothing shows images.
    """
    if source is None:
        raise BadSettings(STUDIO_UNSET)
    api = studio_api(settings)
    try:
        found = await retried(partial(api.project, project), PAUSES, told)
    finally:
        await api.close()
    config = _showing_images(found["label_config"], f"project {project}")
    shown = Shown(str(project), config, login_of(found))
    return Listing("tasks", found["task_number"], images_by_task(source, shown, told))


def export_listing(export: Path, label_config: Path | None) -> Listing:
    """All tasks of a JSON export; without a labeling config, all that looks like images in them.

    Raises:
        BadRequest: it is no export, or nothing in it is an image.
    """
    tasks = read_export(export)
    if label_config:
        config = _showing_images(label_config.read_text(), str(label_config))
        return Listing("tasks", len(tasks), _each(image_references(task, config) for task in tasks))
    if not any(map(guessed_references, tasks)):
        raise BadTask(f"{export}: no field of its {len(tasks)} tasks looks like an image; give --label-config FILE")
    return Listing("tasks", len(tasks), _each(map(guessed_references, tasks)))


def files_listing(paths: list[str]) -> Listing:
    """Image files."""
    return Listing("images", len(paths), _each([ImageReference(path, path)] for path in paths))


def _showing_images(label_config: str, whose: str) -> LabelConfig:
    config = parse_label_config(label_config)
    if not any(tag.kind == "Image" for tag in config.objects):
        raise BadLabelConfig(f"the labeling config of {whose} has no <Image>")
    return config


async def _each(items: Iterable[list[ImageReference]]) -> AsyncIterator[list[ImageReference]]:
    for item in items:
        yield item
