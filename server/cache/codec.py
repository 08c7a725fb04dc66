"""ImageEmbedding <-> bytes: a checked header and raw tensors, float32 as float16 where that can hold it.

bytes 0-7: magic and format version; 8-11: CRC-32 of all that follows; 12-15: length of the header; the header
(MessagePack); the tensors in the header's order, each at a multiple of 64 bytes. Numbers are little-endian.
"""

import struct
import zlib

import msgspec
import numpy as np
from numpy.typing import NDArray

from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize
from server.errors import BadPrompt

_MAGIC = b"samsrv\x00\x01"  # the last byte is the format's version
_PREFIX = struct.Struct("<8sII")
_CHECKED_FROM = 12
_ALIGNMENT = 64


class DamagedEmbedding(ValueError):
    """The bytes are not what `encode` made."""


class _Tensor(msgspec.Struct, frozen=True, array_like=True):
    """One tensor; dtypes as numpy writes them: in memory, and in the file."""

    name: str
    dtype: str
    stored: str
    shape: tuple[int, ...]


class _Header(msgspec.Struct, frozen=True):
    key: EmbeddingKey
    size: ImageSize
    tensors: list[_Tensor]


_HEADERS = msgspec.msgpack.Decoder(_Header)


def encode(key: EmbeddingKey, embedding: ImageEmbedding) -> bytes:
    """The embedding and its key; float32 tensors lose all but 11 bits of each mantissa."""
    stored = {name: _stored(tensor) for name, tensor in embedding.tensors.items()}
    tensors = [
        _Tensor(name, tensor.dtype.str, stored[name].dtype.str, tensor.shape)
        for name, tensor in embedding.tensors.items()
    ]
    header = msgspec.msgpack.encode(_Header(key, embedding.size, tensors))
    parts = [header, _padding(_PREFIX.size + len(header))]
    for tensor in stored.values():
        parts += [tensor.tobytes(), _padding(tensor.nbytes)]
    length = struct.pack("<I", len(header))
    checksum = zlib.crc32(length)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return b"".join([_PREFIX.pack(_MAGIC, checksum, len(header)), *parts])


def decode(content: bytes) -> tuple[EmbeddingKey, ImageEmbedding]:
    """What was encoded; its tensors are copies, so `content` need not be kept.

    Raises:
        DamagedEmbedding: the bytes are cut short, changed, or of another format version.
    """
    if len(content) < _PREFIX.size:
        raise DamagedEmbedding(f"it has {len(content)} bytes, fewer than any embedding")
    magic, checksum, length = _PREFIX.unpack_from(content)
    if magic != _MAGIC:
        raise DamagedEmbedding("it is not of this format and version")
    if zlib.crc32(memoryview(content)[_CHECKED_FROM:]) != checksum:
        raise DamagedEmbedding("its checksum is wrong")
    try:
        return _parsed(content, length)
    except (msgspec.MsgspecError, BadPrompt, TypeError, ValueError) as error:
        raise DamagedEmbedding(f"its checksum is right, but not its header: {error}") from error


def _parsed(content: bytes, length: int) -> tuple[EmbeddingKey, ImageEmbedding]:
    header = _HEADERS.decode(memoryview(content)[_PREFIX.size : _PREFIX.size + length])
    offset = _aligned(_PREFIX.size + length)
    tensors: dict[str, NDArray[np.generic]] = {}
    for tensor in header.tensors:
        count = int(np.prod(tensor.shape, dtype=np.int64))
        flat = np.frombuffer(content, tensor.stored, count, offset)
        tensors[tensor.name] = flat.reshape(tensor.shape).astype(tensor.dtype)
        offset = _aligned(offset + flat.nbytes)
    return header.key, ImageEmbedding(header.size, tensors)


def _stored(tensor: NDArray[np.generic]) -> NDArray[np.generic]:
    if tensor.dtype != np.float32:
        return tensor
    try:
        with np.errstate(over="raise"):
            return tensor.astype(np.float16)
    except FloatingPointError:
        return tensor  # a value beyond 65504 would become infinite


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


def _padding(length: int) -> bytes:
    return bytes(_aligned(length) - length)
