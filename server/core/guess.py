"""Which of a task's fields hold images, where no labeling config says so."""

import re
from typing import Any

from server.core.image_formats import IMAGE_SUFFIXES
from server.core.reference import ImageReference
from server.core.task import Task

_LOOKS_LIKE_IMAGE = re.compile(
    r"data:image/|/?(data/)?upload/|/data/local-files/|(https?://|s3://|gs://|azure-blob://|/)?[^?#\s]*"
    rf"({'|'.join(map(re.escape, IMAGE_SUFFIXES))})([?#]|$)",
    re.IGNORECASE,
)


def guessed_references(task: Task) -> list[ImageReference]:
    """What looks like an image among the fields of a task, and in the lists in them, each once.

    That is a data:image/ URI, a path of an upload, or a URL or path that ends like an image file's name.
    """
    values = [value for field in task.data.values() for value in (field if isinstance(field, list) else [field])]
    return [ImageReference(value, task.id) for value in dict.fromkeys(filter(_is_image, values))]


def _is_image(value: Any) -> bool:
    return isinstance(value, str) and _LOOKS_LIKE_IMAGE.match(value) is not None
