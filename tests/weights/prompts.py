"""Every kind of prompt, drawn for an object of the quality set, as the items that Label Studio sends."""

from collections.abc import Callable
from typing import Any

from server.core.prediction import Mask
from server.core.rle import encode_rle
from tests.studio import box, shape
from tests.weights.drawing import blob, ellipse, polygon, scribble, three_point_box
from tests.weights.robot import Object, click_ious, first_click
from tests.weights.served import Answer, Ask, key_points


def five_clicks(thing: Object, ask: Ask) -> Answer:
    """The robot's clicks, each sent with those before it; the answer to the last."""
    answers: list[Answer] = []

    def predict(clicks: Any) -> Mask:
        answers.append(ask(key_points(thing, clicks)))
        return answers[-1].prediction.mask

    click_ious(thing, predict, 5)
    return answers[-1]


def _drawn(kind: str, value: Callable[[Object], dict[str, Any]]) -> Callable[[Object, Ask], Answer]:
    def drawn(thing: Object, ask: Ask) -> Answer:
        height, width = thing.mask.shape
        return ask([shape(kind, value(thing), width, height)])

    return drawn


def _painted(mask: Mask) -> dict[str, Any]:
    return {"format": "rle", "rle": encode_rle(mask).tolist()}


PROMPTS: dict[str, Callable[[Object, Ask], Answer]] = {
    "one click": lambda thing, ask: ask(key_points(thing, [first_click(thing)])),
    "five clicks": five_clicks,
    "box": lambda thing, ask: ask([box(*thing.bbox, *reversed(thing.mask.shape))]),
    "three-point box": _drawn("rectangle", three_point_box),
    "brush, filled": _drawn("brush", lambda thing: _painted(blob(thing))),
    "brush, scribbled": _drawn("brush", lambda thing: _painted(scribble(thing))),
    "polygon": _drawn("polygon", lambda thing: {"points": polygon(thing), "closed": True}),
    "ellipse": _drawn("ellipse", ellipse),
}
