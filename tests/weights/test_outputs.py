"""Every kind of prompt answered with every kind of region: how well what the editor shows covers the objects."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from server.core.context import Gesture
from server.core.geometry import Box, ImageSize
from server.core.labelconfig import ControlTag
from server.core.options import OUTPUTS, AnswerOptions
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.region import regions
from tests.shown import covered
from tests.weights.prompts import PROMPTS
from tests.weights.robot import Object, iou, objects, quality_set
from tests.weights.served import Answer, Served

EXPECTED = json.loads((Path(__file__).parent / "expected_outputs.json").read_bytes())  # mean IoUs
TOLERANCE = 0.01
ITSELF = "the human mask itself"  # answered as it is: what the kinds of regions cost alone

Ious = dict[str, dict[str, list[float]]]  # of prompts, of outputs and of the mask they are made of, of objects


def human(thing: Object) -> Answer:
    """As if the model had found the object to the pixel."""
    size = ImageSize(*thing.mask.shape)
    gesture = Gesture(Prompt(size, box=Box(*thing.bbox)), "image", "rect", ("A",))
    return Answer(gesture, MaskPrediction(thing.mask, 1.0, np.zeros((256, 256), np.float32)))


def answered(answer: Answer, output: str) -> list[dict[str, Any]]:
    """The regions as they are sent to a control of that kind."""
    control = ControlTag(f"{output.title()}Labels", output, ("image",), ("A",), closable=True)
    items = regions(answer.prediction, answer.region_id, answer.gesture, control, AnswerOptions())
    decoded: list[dict[str, Any]] = msgspec.json.decode(msgspec.json.encode(items))
    return decoded


@pytest.fixture(scope="module")
def ious(served: Served) -> Ious:
    measured: Ious = defaultdict(lambda: defaultdict(list))
    for thing in objects(quality_set()):
        for prompt, draw in PROMPTS.items():
            _measure(thing, draw(thing, served.annotator(thing)), measured[prompt])
        _measure(thing, human(thing), measured[ITSELF])
    return measured


def _measure(thing: Object, answer: Answer, measured: dict[str, list[float]]) -> None:
    measured["mask"].append(iou(thing, answer.prediction.mask))
    for output in OUTPUTS:
        measured[output].append(iou(thing, covered(answered(answer, output), thing.mask.shape)))


@pytest.mark.weights
def test_every_output_of_every_prompt_covers_the_objects_as_well_as_was_measured(ious: Ious) -> None:
    means = {prompt: {output: float(np.mean(of[output])) for output in OUTPUTS} for prompt, of in ious.items()}
    assert all(len(of["mask"]) == 55 for of in ious.values())
    assert list(means) == list(EXPECTED)
    for prompt, of in means.items():
        assert of == pytest.approx(EXPECTED[prompt], abs=TOLERANCE), prompt


@pytest.mark.weights
@pytest.mark.parametrize("output", ["brush", "bitmask"])
def test_brush_and_bitmask_hold_each_mask_to_the_pixel(ious: Ious, output: str) -> None:
    assert all(of[output] == of["mask"] for of in ious.values())
