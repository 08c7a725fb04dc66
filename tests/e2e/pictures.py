"""A drawn picture whose objects are known to the pixel."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Mask = NDArray[np.bool_]  # (H, W)

WIDTH, HEIGHT = 800, 600
EGG, BOARD = (300, 300), (640, 300)  # middles, px
ON_THE_WHITE, ON_THE_YOLK, ON_THE_BOARD = (430, 300), EGG, BOARD
_EGG_RADIUS, _YOLK_RADIUS = 200, 90
_BOARD_SIZE, _BOARD_ANGLE = (120, 360), 20.0  # px, degrees clockwise


def egg() -> Mask:
    """The whole fried egg."""
    return disc(EGG, _EGG_RADIUS)


def yolk() -> Mask:
    """Its yolk."""
    return disc(EGG, _YOLK_RADIUS)


def board() -> Mask:
    """The tilted board."""
    canvas = Image.new("1", (WIDTH, HEIGHT))
    ImageDraw.Draw(canvas).polygon(board_corners(), fill=1)
    return np.asarray(canvas)


def board_corners() -> list[tuple[float, float]]:
    """The four corners of the board, in px."""
    angle = np.deg2rad(_BOARD_ANGLE)
    along, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    half_width, half_height = _BOARD_SIZE[0] / 2, _BOARD_SIZE[1] / 2
    signs = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    corners = [BOARD + a * half_width * along + b * half_height * down for a, b in signs]
    return [(float(x), float(y)) for x, y in corners]


def scene(seed: int = 6) -> Image.Image:
    """A fried egg and a board on a table, seen from above; `seed` changes the grain only."""
    rng = np.random.default_rng(seed)
    table = np.linspace(150, 190, WIDTH)[None, :, None] * np.array([0.95, 0.8, 0.62])
    picture = np.broadcast_to(table, (HEIGHT, WIDTH, 3)).copy()
    for mask, color in ((egg(), (236, 238, 240)), (yolk(), (235, 168, 40)), (board(), (92, 56, 36))):
        picture[mask] = color
    picture += rng.normal(0, 4, picture.shape)
    drawn = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    return drawn.filter(ImageFilter.GaussianBlur(0.7))


def disc(middle: tuple[int, int], radius: int) -> Mask:
    """A filled circle."""
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    inside: Mask = (columns + 0.5 - middle[0]) ** 2 + (rows + 0.5 - middle[1]) ** 2 <= radius**2
    return inside
