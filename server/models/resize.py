"""Where an image lies in a model's square input: its pixels, its points, its masks, there and back.

"longest_side_..." keeps the shape: the image fills the input from the top-left corner, and what is left is zeros.
"square_..." stretches it over the whole input.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from server.core.embedding import Image
from server.core.geometry import ImageSize
from server.core.prediction import Logits, Mask
from server.models.manifest import Preprocessing
from server.models.sample import sampled
from server.models.upsample import upsampled

LOGITS_PER_POSITION = 4  # along a side: of a mask, per position of the image embedding


def content(size: ImageSize, side: int, how: Preprocessing) -> ImageSize:
    """What an image of `size` takes of a square, `side` px wide, from its top-left corner."""
    if how.is_square:
        return ImageSize(side, side)
    scale = side / size.longest
    return ImageSize(max(1, int(size.height * scale + 0.5)), max(1, int(size.width * scale + 0.5)))


def reached(size: ImageSize, grid: int, how: Preprocessing) -> tuple[int, int]:
    """The (rows, columns) of an embedding's (grid, grid) positions that an image of `size` is shown with.

    They are those that it covers, and those of one logit more, which enlarging the masks reaches.
    """
    covered, position = content(size, how.input_size, how), how.input_size // grid  # px
    beyond = position // LOGITS_PER_POSITION
    rows, columns = (-(-(side + beyond) // position) for side in (covered.height, covered.width))
    return min(grid, rows), min(grid, columns)


def image_to_input(image: Image, how: Preprocessing) -> NDArray[np.float32]:
    """(1, 3, input_size, input_size): the (H, W, 3) image resized, then normalised, then zero-padded."""
    size = content(ImageSize(*image.shape[:2]), how.input_size, how)
    height, width = size.height, size.width
    if how.resize == "square_bilinear":
        pixels: NDArray[np.generic] = sampled(image, how.input_size)
    else:
        antialiased = PillowImage.fromarray(image).resize((width, height), PillowImage.Resampling.BILINEAR)
        pixels = np.asarray(antialiased)
    padded = np.zeros((1, 3, how.input_size, how.input_size), np.float32)
    filled = padded[0, :, :height, :width]
    mean, std = (np.array(channels, np.float32)[:, None, None] for channels in (how.mean, how.std))
    np.subtract(pixels.transpose(2, 0, 1), mean, out=filled)  # (h, w, 3) -> (3, h, w)
    np.divide(filled, std, out=filled)
    return padded


def points_to_input(
    points: NDArray[np.float64], frame: ImageSize, size: ImageSize, how: Preprocessing
) -> NDArray[np.float32]:
    """(N, 2) points (x, y) in pixels of the input, of points in a frame of the image of `size`."""
    to_image = (size.width / frame.width, size.height / frame.height)
    if how.is_square:
        to_input = (how.input_size / size.width, how.input_size / size.height)
    else:
        to_input = (how.input_size / size.longest,) * 2
    return (points * to_image * to_input).astype(np.float32)


def mask_to_input(mask: Mask, side: int, how: Preprocessing) -> NDArray[np.float32]:
    """(side, side): the share of each pixel that an (H, W) mask of the image covers, 0 where the image is not."""
    size = content(ImageSize(*mask.shape), side, how)
    shares = np.zeros((side, side), np.float32)
    shares[: size.height, : size.width] = cv2.resize(
        mask.astype(np.float32), (size.width, size.height), interpolation=cv2.INTER_AREA
    )
    return shares


def logits_to_frame(low_res: Logits, size: ImageSize, frame: ImageSize, how: Preprocessing) -> Mask:
    """(H, W) bool in a frame of the image of `size`, of the decoder's (h, w) logits.

    A square's logits are enlarged once, straight to the frame, as sam2's `postprocess_masks` does it; others as
    segment_anything's does, by way of the input.
    """
    side = len(low_res) if how.is_square else how.input_size
    return upsampled(low_res, content(size, side, how), side, frame)
