"""A picture that is drawn on: a part of a photograph, with marks, tinted masks and outlines."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

FINE = 1512  # px; panels are drawn this wide and made smaller in the end, so that edges are smooth
BLUE, GREEN, RED, WHITE = (36, 104, 255), (0, 190, 90), (235, 45, 60), (255, 255, 255)

Color = tuple[int, int, int]
Crop = tuple[int, int, int, int]  # left, top, right, bottom, three to two
Corners = Sequence[Sequence[float]] | NDArray[np.float64]  # (x, y) each


class Panel:
    """A part of a picture, drawn on in px of the whole picture."""

    def __init__(self, picture: Image.Image, crop: Crop, size: tuple[int, int]) -> None:
        self.picture_size, self._size = picture.size, size
        self._origin, self._scale = np.array(crop[:2]), FINE / (crop[2] - crop[0])
        self._width = FINE // size[0]  # of a line that is one px wide in the end
        part = picture.convert("RGB").crop(crop).resize((FINE, FINE * 2 // 3), Image.Resampling.LANCZOS)
        self._canvas: NDArray[np.uint8] = np.array(part)

    def paint(self, mask: NDArray[np.bool_], color: Color, strength: float = 0.5) -> None:
        """Tints the pixels of a mask of the whole picture, and lines their edges."""
        to_canvas = np.array([[self._scale, 0, 0], [0, self._scale, 0]])
        to_canvas[:, 2] = (0.5 - self._origin) * self._scale - 0.5  # pixels are known by their centres
        size = self._canvas.shape[1::-1]
        inside = cv2.warpAffine(mask.astype(np.float32), to_canvas, size, flags=cv2.INTER_CUBIC) > 0.5
        self._tint(inside, color, strength)
        contours, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        self._line(contours, color)

    def outline(self, ring: Corners, color: Color, strength: float = 0.35) -> None:
        """Tints the inside of a ring, and lines it."""
        corners = self._on_canvas(ring)
        inside = cv2.fillPoly(np.zeros(self._canvas.shape[:2], np.uint8), [corners], 1) > 0
        self._tint(inside, color, strength)
        self._line([corners], color)

    def corners(self, ring: Corners, color: Color, radius: float = 2.0) -> None:
        """Marks the corners of a ring."""
        for x, y in self._on_canvas(ring).tolist():
            self._disc((x, y), radius + 1, color)
            self._disc((x, y), radius, WHITE)

    def click(self, x: float, y: float, positive: bool) -> None:
        """A green plus, or a red minus."""
        ((column, row),) = self._on_canvas([(x, y)]).tolist()
        self._disc((column, row), 13, WHITE)
        self._disc((column, row), 11, GREEN if positive else RED)
        arm = 6 * self._width
        cv2.line(self._canvas, (column - arm, row), (column + arm, row), WHITE, 3 * self._width)
        if positive:
            cv2.line(self._canvas, (column, row - arm), (column, row + arm), WHITE, 3 * self._width)

    def finished(self) -> Image.Image:
        """The panel at its size."""
        return Image.fromarray(self._canvas).resize(self._size, Image.Resampling.LANCZOS)

    def _on_canvas(self, corners: Corners) -> NDArray[np.int32]:
        places: NDArray[np.int32] = np.round((np.array(corners) - self._origin) * self._scale).astype(np.int32)
        return places

    def _tint(self, inside: NDArray[np.bool_], color: Color, strength: float) -> None:
        self._canvas[inside] = (self._canvas[inside] * (1 - strength) + np.array(color) * strength).astype(np.uint8)

    def _line(self, rings: Sequence[cv2.typing.MatLike], color: Color) -> None:
        cv2.polylines(self._canvas, rings, True, WHITE, 4 * self._width, cv2.LINE_AA)
        cv2.polylines(self._canvas, rings, True, color, 2 * self._width, cv2.LINE_AA)

    def _disc(self, place: tuple[int, int], radius: float, color: Color) -> None:
        cv2.circle(self._canvas, place, round(radius * self._width), color, -1, cv2.LINE_AA)
