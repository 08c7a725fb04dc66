"""A padded graph's answer is the one without the points that fill its input up."""

import numpy as np
import pytest

from server.models.decoder_graphs import ABSENT
from tests.sam_decoder import write_sam_decoder
from tests.unit.graphs.pair import GRID, INPUT_SIZE, Pair, Points

COUNTS = (2, 4, 8, 16)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    """Plain and padded graphs of one stock decoder."""
    stock = tmp_path_factory.mktemp("stock") / "decoder.onnx"
    write_sam_decoder(stock, GRID, INPUT_SIZE)
    return Pair(stock), Pair(stock, padded=True)


def asked(count: int, absent: int = 0) -> Points:
    """Clicks and a padding point, `count` in all; absent ones follow, at places that must not matter."""
    places = np.random.default_rng(count).uniform(0, INPUT_SIZE, (count + absent, 2))
    labels = [*(float(k % 2 == 0) for k in range(count - 1)), -1.0, *[ABSENT] * absent]
    return [(x, y, label) for (x, y), label in zip(places, labels, strict=True)]


@pytest.mark.parametrize("with_mask", [False, True], ids=["without a mask", "with a mask"])
@pytest.mark.parametrize("count", range(2, 12))  # a click and padding, to ten clicks and padding
def test_absent_points_change_no_answer(pairs: tuple[Pair, Pair], count: int, with_mask: bool) -> None:
    plain, padded = pairs
    filled = asked(count, next(size for size in COUNTS if size >= count) - count)
    logits, ious = plain.answered(filled[:count], with_mask)
    answered, scores = padded.answered(filled, with_mask)
    assert np.ptp(logits) > 1  # a mask, not a constant
    assert np.array_equal(answered > 0, logits > 0)
    np.testing.assert_allclose(answered, logits, atol=1e-4)
    np.testing.assert_allclose(scores, ious, atol=1e-5)


def test_a_padding_point_is_no_absent_one(pairs: tuple[Pair, Pair]) -> None:
    plain, padded = pairs
    *clicks, (x, y, _) = asked(3, absent=1)
    (logits, _), (other, _) = plain.answered(clicks, False), padded.answered([*clicks, (x, y, -1.0)], False)
    assert np.abs(logits - other).max() > 1e-3


def test_a_padded_graph_without_absent_points_answers_as_the_plain_one(pairs: tuple[Pair, Pair]) -> None:
    plain, padded = (pair.answered(asked(5), True) for pair in pairs)
    for expected, answered in zip(plain, padded, strict=True):
        np.testing.assert_allclose(answered, expected, atol=1e-5)
