import struct
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from server.cache.codec import DamagedEmbedding, decode, encode
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize

KEY = EmbeddingKey("image", "encoder", "preprocessing")
SAMPLE = encode(KEY, ImageEmbedding(ImageSize(3, 4), {"a": np.arange(50, dtype=np.float32), "b": np.ones(9, np.int64)}))

keys = st.builds(EmbeddingKey, st.text(), st.text(), st.text())
sizes = st.builds(ImageSize, st.integers(1, 1 << 40), st.integers(1, 1 << 40))
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
others = st.sampled_from(["float16", "float64", "int8", "uint8", "int64", "bool", "complex64"])
as_they_are = hnp.arrays(others, shapes)
halves = hnp.arrays(np.float32, shapes, elements=st.floats(-65504, 65504, width=16))
singles = hnp.arrays(np.float32, shapes)


def round_trip(**tensors: NDArray[Any]) -> dict[str, NDArray[Any]]:
    _, found = decode(encode(KEY, ImageEmbedding(ImageSize(1, 1), tensors)))
    return dict(found.tensors)


@given(keys, sizes, st.dictionaries(st.text(), as_they_are | halves, max_size=4))
def test_what_fits_comes_back_as_it_was(
    key: EmbeddingKey, size: ImageSize, tensors: dict[str, NDArray[np.generic]]
) -> None:
    found_key, found = decode(encode(key, ImageEmbedding(size, tensors)))
    assert (found_key, found.size, list(found.tensors)) == (key, size, list(tensors))
    for name, tensor in tensors.items():
        back = found.tensors[name]
        assert (back.dtype, back.shape, back.tobytes()) == (tensor.dtype, tensor.shape, tensor.tobytes())
        assert not back.flags.writeable


@given(singles)
def test_float32_comes_back_rounded_to_float16_or_when_that_overflows_exactly(tensor: NDArray[np.float32]) -> None:
    back = round_trip(a=tensor)["a"]
    with np.errstate(over="ignore"):
        rounded = tensor.astype(np.float16).astype(np.float32)
    overflows = (np.isinf(rounded) & np.isfinite(tensor)).any()
    assert (back.dtype, back.shape) == (np.dtype(np.float32), tensor.shape)
    np.testing.assert_array_equal(back, tensor if overflows else rounded)


@pytest.mark.parametrize("length", [1, 1000], ids=str)  # numpy converts long runs in another way
@pytest.mark.parametrize(
    ("value", "itemsize"), [(1.0, 2), (65504.0, 2), (np.inf, 2), (np.nan, 2), (65520.0, 4), (-1e30, 4)]
)
def test_float32_takes_two_bytes_a_value_unless_one_is_beyond_float16(value: float, itemsize: int, length: int) -> None:
    tensor, half = np.full(2 * length, 0.5, np.float32), np.full(2 * length, 0.5, np.float16)
    tensor[length] = value
    nbytes = len(encode(KEY, ImageEmbedding(ImageSize(1, 1), {"a": tensor})))
    assert (
        abs(nbytes - len(encode(KEY, ImageEmbedding(ImageSize(1, 1), {"a": half}))) - (itemsize - 2) * 2 * length) < 64
    )
    np.testing.assert_array_equal(round_trip(a=tensor)["a"], tensor)


@given(st.permutations(range(4)))
def test_a_tensor_that_does_not_lie_in_order_in_memory_comes_back_the_same(axes: list[int]) -> None:
    tensor = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5).transpose(axes)
    np.testing.assert_array_equal(round_trip(a=tensor)["a"], tensor)


def test_each_tensor_begins_at_a_multiple_of_64_bytes() -> None:
    values = np.arange(50, dtype=np.float16).tobytes()
    assert SAMPLE.index(values) % 64 == SAMPLE.index(np.ones(9, np.int64).tobytes()) % 64 == len(SAMPLE) % 64 == 0


def test_a_cut_at_any_byte_is_noticed() -> None:
    for length in range(len(SAMPLE)):
        with pytest.raises(DamagedEmbedding):
            decode(SAMPLE[:length])


def test_a_changed_bit_anywhere_is_noticed() -> None:
    for position in range(len(SAMPLE)):
        changed = bytearray(SAMPLE)
        changed[position] ^= 1 << position % 8
        with pytest.raises(DamagedEmbedding):
            decode(bytes(changed))


@pytest.mark.parametrize("start", [0, 12, 16, 64, 192])
def test_a_part_that_never_reached_the_disk_is_noticed(start: int) -> None:
    with pytest.raises(DamagedEmbedding):
        decode(SAMPLE[:start] + bytes(len(SAMPLE) - start))


@given(st.binary())
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with pytest.raises(DamagedEmbedding):
        decode(content)


HEADER: dict[str, Any] = {
    "key": {"image": "i", "encoder": "e", "preprocessing": "p"},
    "size": {"height": 1, "width": 1},
    "tensors": [["a", "<f4", "<f2", [2]]],
}


def sealed(header: bytes, tensors: bytes = bytes(64)) -> bytes:
    """A file with a right checksum around whatever it holds."""
    rest = struct.pack("<I", len(header)) + header + bytes(-(16 + len(header)) % 64) + tensors
    return SAMPLE[:8] + struct.pack("<I", zlib.crc32(rest)) + rest


def test_a_header_written_by_hand_is_read() -> None:
    _, found = decode(sealed(msgspec.msgpack.encode(HEADER)))
    assert (found.tensors["a"].dtype, found.tensors["a"].tolist()) == (np.dtype(np.float32), [0, 0])


@pytest.mark.parametrize(
    "change",
    [
        {"size": {"height": 0, "width": 1}},
        {"tensors": [["a", "<f4", "<f2", [33]]]},
        {"tensors": [["a", "<f4", "|O", [2]]]},
        {"tensors": [["a", "<f4", "no dtype", [2]]]},
        {"tensors": [["a", "<f4", "<f2", [-1, 3]]]},
        {"tensors": [["a", "<f4", "<f2", [1 << 40, 1 << 40]]]},
        {"key": None},
    ],
    ids=str,
)
def test_a_header_that_makes_no_sense_is_refused_even_under_a_right_checksum(change: dict[str, Any]) -> None:
    with pytest.raises(DamagedEmbedding, match="its checksum is right, but not its header"):
        decode(sealed(msgspec.msgpack.encode(HEADER | change)))
