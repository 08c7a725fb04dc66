"""Each identity that the decoder graphs rest on, on small random arrays."""

import cv2
import numpy as np
import pytest

from server.graphs.algebra import (
    behind_norm,
    grid_encoding,
    heads_of_columns,
    heads_of_rows,
    shifted,
    strided_convolution,
    taps,
    transposed_convolution,
    unprojected,
    value_bias_passed,
)
from server.graphs.weights import Floats

HEADS = 4


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def softmax(scores: Floats) -> Floats:
    raised: Floats = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def norm(rows: Floats, gain: Floats, bias: Floats, epsilon: float) -> Floats:
    centred = rows - rows.mean(axis=-1, keepdims=True)
    normal: Floats = gain * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) + bias
    return normal


def test_a_norm_and_a_product_are_a_product_and_a_scale(rng: np.random.Generator) -> None:
    rows, gain, bias, weight = (rng.normal(size=shape) for shape in ((9, 6), 6, 6, (6, 5)))
    scale = 1 / np.sqrt(rows.var(axis=-1, keepdims=True) + 0.1)
    expected = norm(rows, gain, bias, 0.1) @ weight
    np.testing.assert_allclose(scale * (rows @ behind_norm(gain, weight)) + bias @ weight, expected)


def test_two_norms_with_changes_of_low_rank_leave_a_product_of_low_rank(rng: np.random.Generator) -> None:
    image, weight = rng.normal(size=(9, 6)), rng.normal(size=(6, 5))
    (gain_0, bias_0), (gain_1, bias_1) = rng.normal(size=(2, 2, 6))
    rows, values = rng.normal(size=(2, 2, 9)), rng.normal(size=(2, 2, 6))
    changed_0 = image + rows[0].T @ values[0]
    changed_1 = norm(changed_0, gain_0, bias_0, 0.1) + rows[1].T @ values[1]
    expected = norm(changed_1, gain_1, bias_1, 0.1) @ weight
    r_0, r_1 = (1 / np.sqrt(changed.var(axis=-1, keepdims=True) + 0.1) for changed in (changed_0, changed_1))
    m_1 = behind_norm(gain_1, weight)
    m_0 = behind_norm(gain_0, m_1)
    product = image @ m_0 + rows[0].T @ values[0] @ m_0 + (rows[1].T @ values[1] @ m_1 + bias_0 @ m_1) / r_0
    np.testing.assert_allclose(r_0 * r_1 * product + bias_1 @ weight, expected)


def test_scores_need_no_projected_pixels(rng: np.random.Generator) -> None:
    pixels, weight, queries = rng.normal(size=(9, 6)), rng.normal(size=(6, 8)), rng.normal(size=(HEADS, 3, 2))
    projected = (pixels @ weight).reshape(9, HEADS, 2).transpose(1, 2, 0)
    np.testing.assert_allclose(queries @ unprojected(weight, HEADS) @ pixels.T, queries @ projected)


def test_answers_need_no_projected_pixels(rng: np.random.Generator) -> None:
    pixels, weight, shares = rng.normal(size=(9, 6)), rng.normal(size=(6, 8)), rng.random((HEADS, 3, 9))
    projected = (pixels @ weight).reshape(9, HEADS, 2).transpose(1, 0, 2)
    np.testing.assert_allclose(shares @ pixels @ heads_of_columns(weight, HEADS), shares @ projected)


def test_a_sum_over_heads_is_one_product(rng: np.random.Generator) -> None:
    shares, values, output = rng.random((HEADS, 3, 9)), rng.normal(size=(HEADS, 3, 2)), rng.normal(size=(8, 6))
    joined = (shares.transpose(0, 2, 1) @ values).transpose(1, 0, 2).reshape(9, 8)
    shown = values @ heads_of_rows(output, HEADS)
    np.testing.assert_allclose(shares.reshape(-1, 9).T @ shown.reshape(-1, 6), joined @ output)


def test_a_bias_of_keys_cancels(rng: np.random.Generator) -> None:
    queries, keys, bias = rng.normal(size=(3, 4)), rng.normal(size=(9, 4)), rng.normal(size=4)
    np.testing.assert_allclose(softmax(queries @ (keys + bias).T), softmax(queries @ keys.T))


def test_a_bias_of_values_passes_through(rng: np.random.Generator) -> None:
    shares, values, bias = softmax(rng.normal(size=(3, 9))), rng.normal(size=(9, 4)), rng.normal(size=4)
    output, output_bias = rng.normal(size=(4, 6)), rng.normal(size=6)
    expected = shares @ (values + bias) @ output + output_bias
    np.testing.assert_allclose(shares @ values @ output + value_bias_passed(bias, output, output_bias), expected)


def test_a_transposed_convolution_is_a_product(rng: np.random.Generator) -> None:
    image, weight, bias = rng.normal(size=(3, 5, 2)), rng.normal(size=(2, 4, 2, 2)), rng.normal(size=4)
    expected = np.zeros((6, 10, 4))
    for y, x, dy, dx in np.ndindex(3, 5, 2, 2):
        expected[2 * y + dy, 2 * x + dx] = image[y, x] @ weight[:, :, dy, dx] + bias
    flat, tiled = transposed_convolution(weight, bias)
    windows = (image.reshape(15, 2) @ flat + tiled).reshape(3, 5, 2, 2, 4)
    np.testing.assert_allclose(windows.transpose(0, 2, 1, 3, 4).reshape(6, 10, 4), expected)


def test_a_strided_convolution_is_a_product(rng: np.random.Generator) -> None:
    image, weight = rng.normal(size=(6, 10)), rng.normal(size=(1, 1, 2, 2))
    full = cv2.filter2D(image, -1, weight[0, 0], anchor=(0, 0))
    windows = image.reshape(3, 2, 5, 2).transpose(0, 2, 1, 3).reshape(15, 4)
    np.testing.assert_allclose((windows @ strided_convolution(weight)).reshape(3, 5), full[::2, ::2])


def test_a_mixture_of_a_convolutions_channels_is_nine_products_and_a_sum_of_shifted_maps(
    rng: np.random.Generator,
) -> None:
    image, weight, mixture = rng.normal(size=(5, 7, 3)), rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)
    each = np.stack([correlated(image, kernel) for kernel in weight])
    maps = image @ (mixture @ taps(weight)).reshape(9, 3).T  # (5, 7, 9)
    np.testing.assert_allclose(correlated(maps, shifted()[0]), np.tensordot(mixture, each, 1))


def correlated(image: Floats, kernels: Floats) -> Floats:
    """(H, W) of (H, W, C) and (C, 3, 3), zeros around the image."""
    layers = (np.ascontiguousarray(image[..., k]) for k in range(len(kernels)))
    each = [
        cv2.filter2D(layer, -1, k, borderType=cv2.BORDER_CONSTANT) for layer, k in zip(layers, kernels, strict=True)
    ]
    total: Floats = np.sum(each, axis=0)
    return total


def test_pixels_are_encoded_row_by_row(rng: np.random.Generator) -> None:
    gaussian = rng.normal(size=(2, 3))
    angles = 2 * np.pi * np.array([(2.5 / 4) * 2 - 1, (1.5 / 4) * 2 - 1]) @ gaussian  # column 2 of row 1
    expected = np.concatenate([np.sin(angles), np.cos(angles)])
    np.testing.assert_allclose(grid_encoding(gaussian, 4)[4 * 1 + 2], expected)
