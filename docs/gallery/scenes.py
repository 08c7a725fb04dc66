"""The prompts that are shown: each kind once, on a part of a picture, in px of the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from marks import Brush, Click, Ellipse, Mark, Polygon, Rectangle
from panel import Crop


@dataclass(frozen=True)
class Scene:
    """One sheet. Marks are drawn one after the other, and each time all of them so far are sent."""

    name: str
    file: str
    picture: str
    crop: Crop
    marks: Sequence[Mark]


SCENES = (
    Scene("One click", "click", "coffee.jpg", (0, 0, 600, 400), [Click(300, 150)]),
    Scene(
        "Five clicks",
        "clicks",
        "astronaut.jpg",
        (0, 171, 512, 512),
        [Click(185, 330), Click(390, 450, False), Click(70, 300), Click(215, 235, False), Click(175, 385)],
    ),
    Scene("Box", "box", "astronaut.jpg", (77, 0, 512, 290), [Rectangle(352, 3, 112, 282)]),
    Scene(
        "Three-point box",
        "three-point-box",
        "coffee.jpg",
        (234, 180, 504, 360),
        [Rectangle(330, 226, 76, 100, 10)],
    ),
    Scene(
        "Brush, filled",
        "blob",
        "chelsea.jpg",
        (70, 40, 298, 192),
        [Brush([(139, 100), (165, 86), (195, 96), (206, 124), (188, 143), (157, 137)], 8, True)],
    ),
    Scene(
        "Brush, scribbled",
        "scribble",
        "astronaut.jpg",
        (53, 0, 413, 240),
        [Brush([(178, 70), (200, 50), (232, 40), (264, 50), (285, 78)], 6)],
    ),
    Scene("Polygon", "polygon", "chelsea.jpg", (172, 178, 355, 300), [Polygon([(234, 228), (293, 232), (262, 268)])]),
    Scene("Ellipse", "ellipse", "astronaut.jpg", (130, 257, 512, 512), [Ellipse(388, 446, (112, 104))]),
)
