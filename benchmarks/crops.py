"""What crops gain for small objects on large images: mean IoU with and without them, by object size.

QUALITY_SET=path/to/public python -m benchmarks.crops [mosaic1] [mosaic2] [enlarged] [--every 1] 2>/dev/null

The pictures are made of the quality set's photographs: mosaics of them as they are or enlarged twice, and single ones
enlarged to 4,096 px, which shows what enlarging alone does: it adds no detail.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np

from server.app import load_model
from server.environment import read_settings
from server.logs import set_up_logs
from tests.weights.closer import Desk
from tests.weights.mosaic import enlarged, mosaics
from tests.weights.robot import Object, click_ious, iou, quality_set

KINDS = {
    "mosaic1": lambda folder: mosaics(folder, 1),
    "mosaic2": lambda folder: mosaics(folder, 2),
    "enlarged": lambda folder: enlarged(folder, 4096),
}
BINS = {"< 0.1 %": 0.001, "0.1-1 %": 0.01, "1-4 %": 0.04, "> 4 %": 1.0}
CLICKS = 5

Row = list[list[float]]  # IoU of the whole image and of crops: (2, 1 + CLICKS), for a box and after 1, 2, ... clicks


def main() -> None:
    """Prints, for each kind of picture, two rows for each bin of object sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--every", type=int, default=1, help="take one of so many objects")
    arguments = parser.parse_args()
    set_up_logs(debug=False)
    model = load_model(read_settings(os.environ))
    for kind in arguments.kinds:
        rows: dict[str, list[Row]] = defaultdict(list)
        for picture in KINDS[kind](quality_set()):
            desk = Desk(model, picture.pixels, picture.name)
            for thing in islice(picture.objects(), 0, None, arguments.every):
                share = thing.mask.mean()
                rows[next(name for name, most in BINS.items() if share <= most)].append(ious(desk, thing))
            report(kind, rows)


def ious(desk: Desk, thing: Object) -> Row:
    """Of the object's box and of 1 to CLICKS clicks, on the whole image and with crops."""
    return [
        [iou(thing, desk.box(thing, crop)), *click_ious(thing, desk.clicks(crop), CLICKS)] for crop in (False, True)
    ]


def report(kind: str, rows: Mapping[str, Sequence[Row]]) -> None:
    """Means so far, by bin."""
    print(f"{kind:9} {'objects':>7} {'':6} {'box':>6}" + "".join(f"{k + 1:>5} cl" for k in range(CLICKS)))
    for name in filter(rows.get, BINS):
        means = np.mean(rows[name], axis=0)
        for how, mean in zip(("whole", "crop"), means, strict=True):
            print(f"{name:9} {len(rows[name]):7} {how:6} {mean[0]:6.3f}" + "".join(f"{x:8.3f}" for x in mean[1:]))
    print(flush=True)


if __name__ == "__main__":
    main()
