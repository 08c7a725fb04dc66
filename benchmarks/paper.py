"""Something to draw on: lines, bars and text, in px of the finished picture."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

Color = tuple[int, int, int]
Place = tuple[float, float]

INK, FAINT, GRID, WHITE = (38, 43, 51), (108, 117, 130), (228, 231, 236), (255, 255, 255)
_FINE = 3  # drawn this much larger, so that edges are smooth in the end


class Paper:
    """White paper of width x height px."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height
        self._image = Image.new("RGB", (width * _FINE, height * _FINE), WHITE)
        self._draw = ImageDraw.Draw(self._image)

    def bar(self, left: float, top: float, width: float, height: float, color: Color) -> None:
        """A filled rectangle."""
        self._draw.rectangle(_fine([(left, top), (left + width, top + height)]), color)

    def area(self, corners: Sequence[Place], color: Color) -> None:
        """A filled polygon."""
        self._draw.polygon(_fine(corners), color)

    def line(self, places: Sequence[Place], color: Color, width: float = 1) -> None:
        """Through all places."""
        self._draw.line(_fine(places), color, max(1, round(width * _FINE)), joint="curve")

    def dashes(self, start: Place, end: Place, color: Color, width: float = 1.5) -> None:
        """A dashed line."""
        pieces = max(1, round(max(abs(end[0] - start[0]), abs(end[1] - start[1])) / 8))
        for piece in range(pieces):
            ends = [
                (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
                for share in (piece / pieces, (piece + 0.6) / pieces)
            ]
            self.line(ends, color, width)

    def dot(self, place: Place, color: Color, radius: float = 4) -> None:
        """A disc with a white rim."""
        for size, fill in ((radius + 1.5, WHITE), (radius, color)):
            x, y = place
            self._draw.ellipse(_fine([(x - size, y - size), (x + size, y + size)]), fill)

    def text(self, place: Place, words: str, size: float = 15, color: Color = INK, anchor: str = "lm") -> None:
        """One line; `anchor` is Pillow's."""
        ((x, y),) = _fine([place])
        font = ImageFont.load_default(size * _FINE)
        self._draw.text((x, y), words, color, font, anchor=anchor, stroke_width=2 * _FINE, stroke_fill=WHITE)

    def width_of(self, words: str, size: float = 15) -> float:
        """Of a line of text."""
        return self._draw.textlength(words, ImageFont.load_default(size * _FINE)) / _FINE

    def finished(self) -> Image.Image:
        """The picture."""
        return self._image.resize(self._size, Image.Resampling.LANCZOS)


def paler(color: Color, strength: float) -> Color:
    """A color mixed with white."""
    red, green, blue = (round(255 - (255 - part) * strength) for part in color)
    return red, green, blue


def _fine(places: Sequence[Place]) -> list[Place]:
    return [(x * _FINE, y * _FINE) for x, y in places]
