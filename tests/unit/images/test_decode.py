"""Image files -> the pixels that a browser shows."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from server.core.image_formats import SUFFIXES
from server.errors import ImageRefused, ImageUnreadable
from server.images import decode
from server.images.decode import decode_image
from server.images.files import find_images

_LIMIT = 1_000_000


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def pixels(height: int, width: int) -> NDArray[np.uint8]:
    """Pixels of which no two are alike."""
    flat = np.arange(height * width, dtype=np.uint8)
    return np.stack([flat * 5, 255 - flat * 3, flat * 7], axis=-1).reshape(height, width, 3)


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """A gradient that lossy formats hardly change."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([40 + 2 * x, 60 + 2 * y, 120 + x], axis=-1).astype(np.uint8)


def off_by(content: bytes, expected: NDArray[np.uint8]) -> int:
    """The largest difference of any channel to what is expected."""
    decoded = decode_image(content, _LIMIT)
    assert decoded.shape == expected.shape
    assert decoded.dtype == np.uint8
    return int(np.abs(decoded.astype(int) - expected).max())


def one_colour(decoded: NDArray[np.uint8]) -> list[int]:
    assert (decoded == decoded[0, 0]).all()
    return [int(channel) for channel in decoded[0, 0]]


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_by_hand(width: int, height: int, depth: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(png_chunk(*chunk) for chunk in chunks) + png_chunk(b"IEND", b"")


_TURNED = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored, 1),
}


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", list(_TURNED))
def test_every_exif_orientation_is_put_right(orientation: int, format: str) -> None:
    stored = pixels(2, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(stored), format, exif=exif)
    decoded = decode_image(content, _LIMIT)
    assert np.array_equal(decoded, _TURNED[orientation](stored))
    assert np.array_equal(decoded, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content)))))


@pytest.mark.parametrize(("format", "suffix"), [(name, suffix) for name in SUFFIXES for suffix in SUFFIXES[name]])
def test_a_file_named_as_one_of_a_format_is_decoded(format: str, suffix: str, tmp_path: Path) -> None:
    Image.fromarray(smooth(32, 48)).save(tmp_path / f"cat{suffix}")  # in the format that Pillow knows the suffix of
    assert find_images(str(tmp_path)) == [str(tmp_path / f"cat{suffix}")]
    content = (tmp_path / f"cat{suffix}").read_bytes()
    assert Image.open(io.BytesIO(content)).format == format
    assert decode_image(content, _LIMIT).shape == (32, 48, 3)


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", list(_TURNED))
def test_every_exif_orientation_of_lossy_formats_is_put_right(orientation: int, format: str) -> None:
    stored = smooth(32, 48)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(stored), format, exif=exif, quality=95)
    assert off_by(content, _TURNED[orientation](stored)) < 16


@pytest.mark.parametrize("orientation", [0, 9, 6000])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert off_by(saved(Image.fromarray(pixels(2, 3)), "PNG", exif=exif), pixels(2, 3)) == 0


def test_the_orientation_of_a_16_bit_image_is_put_right() -> None:
    stored = np.array([[0x1000, 0x8000, 0xF000]], np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_image(saved(Image.fromarray(stored), "PNG", exif=exif), _LIMIT)
    assert decoded.tolist() == [[[0x10] * 3], [[0x80] * 3], [[0xF0] * 3]]


def test_broken_exif_in_a_jpeg_does_not_matter() -> None:
    content = saved(Image.fromarray(smooth(16, 16)), "JPEG", exif=b"Exif\0\0garbage", quality=95)
    assert off_by(content, smooth(16, 16)) < 16


def test_broken_exif_in_a_png_does_not_matter() -> None:
    assert off_by(saved(Image.fromarray(pixels(4, 4)), "PNG", exif=b"garbage!"), pixels(4, 4)) == 0


@pytest.mark.parametrize(
    ("format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats_keep_every_pixel(format: str, options: dict[str, Any]) -> None:
    assert off_by(saved(Image.fromarray(pixels(5, 7)), format, **options), pixels(5, 7)) == 0


@pytest.mark.parametrize("orientation", list(_TURNED))
def test_avif_is_decoded_and_put_right(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(Image.fromarray(smooth(32, 48)), "AVIF", exif=exif, quality=95)
    assert off_by(content, _TURNED[orientation](smooth(32, 48))) < 16


def test_heic_is_decoded_and_its_exif_orientation_ignored_as_its_standard_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(Image.fromarray(smooth(32, 48)), "HEIF", exif=exif, quality=95)
    assert off_by(content, smooth(32, 48)) < 16


def test_without_its_library_heic_is_unreadable_and_the_message_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = saved(Image.fromarray(smooth(32, 48)), "HEIF")
    monkeypatch.setattr(decode, "_FORMATS", ("JPEG", "AVIF"))
    with pytest.raises(ImageUnreadable, match="needs the package pillow-heif: make heif"):
        decode_image(content, _LIMIT)


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_lossy_formats_keep_the_picture(format: str, options: dict[str, Any]) -> None:
    assert off_by(saved(Image.fromarray(smooth(32, 48)), format, quality=95, **options), smooth(32, 48)) < 16


def test_a_palette_is_looked_up() -> None:
    palette = Image.new("P", (3, 2), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    assert one_colour(decode_image(saved(palette, "PNG"), _LIMIT)) == [200, 100, 50]


@pytest.mark.parametrize(
    ("transparency", "shown"),
    [(0, [200, 100, 50]), (1, [255, 255, 255]), (bytes([0, 255]), [200, 100, 50]), (bytes([0, 51]), [244, 224, 214])],
)
def test_a_palette_with_transparency_lets_white_through(transparency: int | bytes, shown: list[int]) -> None:
    palette = Image.new("P", (3, 2), 1)
    palette.putpalette([0, 0, 0, 200, 100, 50])
    assert one_colour(decode_image(saved(palette, "PNG", transparency=transparency), _LIMIT)) == shown


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(("alpha", "shown"), [(255, [90, 80, 70]), (0, [255, 255, 255]), (51, [222, 220, 218])])
def test_transparency_lets_white_through(format: str, alpha: int, shown: list[int]) -> None:
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    content = saved(Image.new("RGBA", (3, 2), (90, 80, 70, alpha)), format, **options)
    assert one_colour(decode_image(content, _LIMIT)) == shown


def test_transparent_grey_and_a_transparent_colour_let_white_through() -> None:
    assert one_colour(decode_image(saved(Image.new("LA", (3, 2), (10, 0)), "PNG"), _LIMIT)) == [255] * 3
    keyed = saved(Image.new("RGB", (3, 2), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert one_colour(decode_image(keyed, _LIMIT)) == [255] * 3


@pytest.mark.parametrize(
    ("mode", "colour", "shown"),
    [("L", 77, 77), ("LA", (77, 255), 77), ("1", 1, 255), ("1", 0, 0)],
)
def test_grey_becomes_three_equal_channels(mode: str, colour: Any, shown: int) -> None:
    assert one_colour(decode_image(saved(Image.new(mode, (3, 2), colour), "PNG"), _LIMIT)) == [shown] * 3


def test_a_grey_jpeg_becomes_three_equal_channels() -> None:
    assert one_colour(decode_image(saved(Image.new("L", (16, 16), 77), "JPEG"), _LIMIT)) == [77] * 3


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize(("stored", "shown"), [(0, 0), (255, 0), (0x8000, 128), (0xFFFF, 255)])
def test_16_bit_grey_is_scaled_rather_than_clipped(stored: int, shown: int, format: str) -> None:
    image = Image.fromarray(np.full((2, 3), stored, np.uint16))
    assert one_colour(decode_image(saved(image, format), _LIMIT)) == [shown] * 3


def test_a_16_bit_rgb_png_is_scaled_rather_than_clipped() -> None:
    row = b"\0" + struct.pack(">3H", 0x8000, 0x1000, 0xFFFF) * 2
    content = png_by_hand(2, 2, 16, 2, (b"IDAT", zlib.compress(row * 2)))
    assert one_colour(decode_image(content, _LIMIT)) == [0x80, 0x10, 0xFF]


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (np.array([0, 100, 200], np.int32), [0, 100, 200]),
        (np.array([-1000, 0, 1000], np.int32), [0, 128, 255]),
        (np.array([0, 70_000, 140_000], np.int32), [0, 128, 255]),
        (np.array([0, 0.5, 0.8], np.float32), [0, 128, 204]),
        (np.array([0, 100, 200], np.float32), [0, 100, 200]),
        (np.array([-5, 0, 5], np.float32), [0, 128, 255]),
        (np.array([0, np.nan, np.inf], np.float32), [0, 0, 0]),
        (np.array([1e9, 1e9, 1e9], np.float32), [0, 0, 0]),
    ],
)
def test_32_bits_are_scaled_rather_than_clipped(stored: NDArray[Any], shown: list[int]) -> None:
    decoded = decode_image(saved(Image.fromarray(stored[None]), "TIFF"), _LIMIT)
    assert decoded.tolist() == [[[value] * 3 for value in shown]]


@pytest.mark.parametrize(
    ("inks", "shown"),
    [((0, 255, 255, 0), [255, 0, 0]), ((0, 0, 0, 255), [0, 0, 0]), ((0, 0, 0, 0), [255, 255, 255])],
)
def test_a_cmyk_jpeg_is_not_inverted(inks: tuple[int, int, int, int], shown: list[int]) -> None:
    content = saved(Image.new("CMYK", (16, 16), inks), "JPEG", quality=95)
    assert off_by(content, np.full((16, 16, 3), shown, np.uint8)) < 8


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame_is_shown(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    options = {"lossless": True} if format == "WEBP" else {}
    content = saved(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert off_by(content, np.full((8, 8, 3), (250, 0, 0), np.uint8)) == 0


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"])
def test_a_truncated_image_is_unreadable(format: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = saved(Image.fromarray(noise), format)
    with pytest.raises(ImageUnreadable):
        decode_image(content[: len(content) // 2], _LIMIT)


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
@pytest.mark.parametrize("kept", [1, 4, 12, 30])
def test_the_mere_start_of_an_image_is_unreadable(format: str, kept: int) -> None:
    with pytest.raises(ImageUnreadable):
        decode_image(saved(Image.fromarray(pixels(4, 4)), format)[:kept], _LIMIT)


def test_damaged_png_data_is_unreadable() -> None:
    with pytest.raises(ImageUnreadable, match="PNG"):
        decode_image(png_by_hand(8, 8, 8, 2, (b"IDAT", b"not zlib data")), _LIMIT)


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><title>Log in</title>", b"\n  <html></html>", b"<?xml?><Error/>"])
def test_a_web_page_is_unreadable_and_the_message_says_what_it_looks_like(page: bytes) -> None:
    with pytest.raises(ImageUnreadable, match=r"HTML.*login"):
        decode_image(page, _LIMIT)


@pytest.mark.parametrize("content", [b"GARBAGE", b'{"detail": "no"}', bytes(100), b"\x89PNG\r\n\x1a\n"])
def test_other_bytes_are_unreadable_and_not_called_html(content: bytes) -> None:
    with pytest.raises(ImageUnreadable) as caught:
        decode_image(content, _LIMIT)
    assert "HTML" not in str(caught.value)


def test_an_empty_file_is_unreadable_and_called_empty() -> None:
    with pytest.raises(ImageUnreadable, match="empty"):
        decode_image(b"", _LIMIT)


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = png_by_hand(30_000, 30_000, 1, 0, (b"IDAT", b"cannot be decoded, and need not be"))
    with pytest.raises(ImageRefused) as caught:
        decode_image(bomb, 100_000_000)
    message = str(caught.value)
    assert "30000 x 30000" in message
    assert "100 megapixels" in message
    assert "SAMSERVE_MAX_MEGAPIXELS" in message


def test_a_bomb_inside_an_icon_is_refused_before_it_is_decoded() -> None:
    bomb = png_by_hand(30_000, 30_000, 1, 0, (b"IDAT", b"cannot be decoded, and need not be"))
    icon = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 1, len(bomb), 22) + bomb
    with pytest.raises((ImageRefused, ImageUnreadable)) as caught:
        decode_image(icon, _LIMIT)
    assert type(caught.value.__cause__) in (type(None), UnidentifiedImageError)  # else the decoder had started


def test_an_image_of_exactly_the_limit_is_decoded() -> None:
    content = saved(Image.fromarray(pixels(5, 7)), "PNG")
    assert decode_image(content, 35).shape == (5, 7, 3)
    with pytest.raises(ImageRefused):
        decode_image(content, 34)


def test_a_postscript_file_never_reaches_an_interpreter() -> None:
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n"
    with pytest.raises(ImageUnreadable, match="not an image of a known format"):
        decode_image(program, _LIMIT)
