"""A contact sheet: a prompt drawn large on its picture, and the answers to it, small, in two rows beside it."""

from collections.abc import Sequence

from panel import WHITE, Panel
from PIL import Image, ImageDraw, ImageFont

SMALL, LARGE = (336, 224), (756, 504)  # px of panels; a large one is as high as two small ones and what is between
GAP, LABEL = 16, 40  # px
COLUMNS = 3
INK = (70, 76, 86)


def sheet(prompt: tuple[str, Panel], answers: Sequence[tuple[str, Panel]]) -> Image.Image:
    """All panels with their names under them: a large one, and three small ones in each of two rows."""
    width = LARGE[0] + COLUMNS * (GAP + SMALL[0])
    canvas = Image.new("RGB", (width, LARGE[1] + LABEL), WHITE)
    _place(canvas, *prompt, (0, 0))
    for position, (name, panel) in enumerate(answers):
        row, column = divmod(position, COLUMNS)
        left = LARGE[0] + GAP + column * (GAP + SMALL[0])
        _place(canvas, name, panel, (left, row * (SMALL[1] + LABEL + GAP)))
    return canvas


def _place(canvas: Image.Image, name: str, panel: Panel, place: tuple[int, int]) -> None:
    image = panel.finished()
    canvas.paste(image, place)
    middle = (place[0] + image.width // 2, place[1] + image.height + LABEL // 2 + 2)
    ImageDraw.Draw(canvas).text(middle, name, INK, ImageFont.load_default(25), anchor="mm")
