"""The usual robot user of interactive segmentation, and the quality set it works on.

First click: the object's pixel farthest from its edge; next clicks: the deepest pixel of the largest error, positive
where the mask misses the object, negative where it leaks. All clicks are sent each time.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from server.core.prediction import Mask

_DEFAULT = Path(__file__).parents[3] / "shared" / "quality" / "public"

Click = tuple[float, float, bool]  # x, y in pixels, positive


@dataclass(frozen=True)
class Object:
    """One object of one photograph."""

    photo: Path
    mask: Mask
    ignore: Mask
    bbox: tuple[float, float, float, float]


def quality_set() -> Path:
    """The folder with images/, masks/ and index.json; the test is skipped where there is none."""
    folder = Path(os.environ.get("QUALITY_SET", _DEFAULT))
    if not (folder / "index.json").is_file():
        pytest.skip(f"no quality set in {folder}: set QUALITY_SET to a folder with images/, masks/ and index.json")
    return folder


def objects(folder: Path, photos: int | None = None) -> Iterator[Object]:
    """All objects of the first `photos` photographs."""
    for item in json.loads((folder / "index.json").read_bytes())["items"][:photos]:
        labels: NDArray[np.uint8] = np.asarray(Image.open(folder / item["mask"]))
        for thing in item["objects"]:
            yield Object(folder / item["image"], labels == thing["id"], labels == 255, tuple(thing["bbox"]))


def iou(thing: Object, mask: Mask) -> float:
    """Intersection over union, leaving out what the set ignores."""
    union = np.count_nonzero((thing.mask | mask) & ~thing.ignore)
    return np.count_nonzero(thing.mask & mask & ~thing.ignore) / union if union else 1.0


def first_click(thing: Object) -> Click:
    """The middle of the object."""
    _, x, y = _deepest(thing.mask)
    return x + 0.5, y + 0.5, True


def click_ious(thing: Object, predict: Callable[[Sequence[Click]], Mask], clicks: int) -> list[float]:
    """IoU after 1, 2, ... clicks."""
    taken, ious = [first_click(thing)], list[float]()
    while True:
        mask = predict(taken)
        ious.append(iou(thing, mask))
        following = _next_click(thing, mask, taken) if len(taken) < clicks else None
        if following is None:
            return ious + ious[-1:] * (clicks - len(ious))
        taken.append(following)


def worst_leak(thing: Object, mask: Mask) -> tuple[float, float] | None:
    """(x, y), the place deepest in what the mask has too much; None where it has nothing too much."""
    depth, x, y = _deepest(mask & ~thing.mask & ~thing.ignore)
    return (x + 0.5, y + 0.5) if depth > 0 else None


def _next_click(thing: Object, mask: Mask, taken: Sequence[Click]) -> Click | None:
    missed, leaked = thing.mask & ~mask & ~thing.ignore, mask & ~thing.mask & ~thing.ignore
    (depth_missed, *at_missed), (depth_leaked, *at_leaked) = _deepest(missed, taken), _deepest(leaked, taken)
    if max(depth_missed, depth_leaked) <= 0:
        return None
    positive = depth_missed >= depth_leaked
    x, y = at_missed if positive else at_leaked
    return x + 0.5, y + 0.5, positive


def _deepest(region: Mask, taken: Sequence[Click] = ()) -> tuple[float, int, int]:
    """(distance, x, y) of the pixel farthest from the region's edge, other than those taken."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not rows.size:
        return 0.0, 0, 0
    top, left = int(rows[0]), int(columns[0])
    filled = region[top : rows[-1] + 1, left : columns[-1] + 1]  # the distances are the same, and found much faster
    distance = cv2.distanceTransform(np.pad(filled.astype(np.uint8), 1), cv2.DIST_L2, 0)[1:-1, 1:-1]
    for x, y, _ in taken:
        down, right = int(y) - top, int(x) - left
        if 0 <= down < filled.shape[0] and 0 <= right < filled.shape[1]:
            distance[down, right] = 0
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    return float(distance[row, column]), left + int(column), top + int(row)
