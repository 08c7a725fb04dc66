"""Masks in full size, computed in part, are what they would be computed as a whole."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.geometry import ImageSize
from server.core.prediction import Logits, Mask
from server.models.upsample import upsampled

INPUT = 128


def whole(low_res: Logits, content: ImageSize, frame: ImageSize) -> Mask:
    enlarged = cv2.resize(low_res, (INPUT, INPUT), interpolation=cv2.INTER_LINEAR)
    part = enlarged[: content.height, : content.width]
    mask: Mask = cv2.resize(part, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR) > 0
    return mask


def content_of(frame: ImageSize) -> ImageSize:
    scale = INPUT / frame.longest
    return ImageSize(max(1, int(frame.height * scale + 0.5)), max(1, int(frame.width * scale + 0.5)))


@settings(max_examples=300, deadline=None)
@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    centre=st.tuples(st.floats(-4, 36), st.floats(-4, 36)),
    radius=st.floats(0.2, 30),
    seed=st.integers(0, 99),
)
def test_every_pixel_is_as_if_the_whole_were_enlarged(
    height: int, width: int, centre: tuple[float, float], radius: float, seed: int
) -> None:
    frame = ImageSize(height, width)
    rows, columns = np.mgrid[:32, :32]
    noise = np.random.default_rng(seed).normal(0, 1, (32, 32))
    low_res = (radius - np.hypot(columns - centre[0], rows - centre[1]) + noise).astype(np.float32)
    content = content_of(frame)
    assert (upsampled(low_res, content, INPUT, frame) == whole(low_res, content, frame)).all()


@pytest.mark.parametrize("where", [(0, 0), (31, 31), (0, 31), (13, 20)])
def test_a_single_logit_is_not_lost(where: tuple[int, int]) -> None:
    low_res = np.full((32, 32), -1, np.float32)
    low_res[where] = 3
    frame = ImageSize(256, 256)
    mask = upsampled(low_res, content_of(frame), INPUT, frame)
    assert mask.any()
    assert (mask == whole(low_res, content_of(frame), frame)).all()


def test_nothing_positive_is_an_empty_mask_and_neither_is_the_padding_shown() -> None:
    frame = ImageSize(50, 100)
    low_res = np.full((32, 32), -1, np.float32)
    assert not upsampled(low_res, content_of(frame), INPUT, frame).any()
    low_res[28:] = 1
    assert upsampled(low_res, content_of(frame), INPUT, frame).shape == (50, 100)
    assert not upsampled(low_res, content_of(frame), INPUT, frame).any()
