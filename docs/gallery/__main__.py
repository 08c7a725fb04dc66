"""Asks a running samserve to answer each kind of prompt with each kind of region, and paints a sheet of each prompt.

python docs/gallery [--url http://127.0.0.1:9090]    # writes docs/pictures/prompt-*.webp
"""

import argparse
import base64
import io
import json
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from label_studio_sdk.converter.brush import decode_rle
from marks import Ellipse, Mark
from numpy.typing import NDArray
from panel import BLUE, Panel
from PIL import Image
from scenes import SCENES, Scene
from sheet import LARGE, SMALL, sheet

PICTURES = Path(__file__).parents[1] / "pictures"
OUTPUTS = ("Brush", "Bitmask", "Polygon", "Vector", "Ellipse", "Rectangle")
TOOLS = ("KeyPoint", "Rectangle", "Brush", "Polygon", "Ellipse")

Item = dict[str, Any]


def main() -> None:
    """Paints all sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:9090")
    url = parser.parse_args().url
    for scene in SCENES:
        target = PICTURES / f"prompt-{scene.file}.webp"
        painted(scene, url).save(target, quality=82, method=6)
        print(f"{target.name}: {target.stat().st_size // 1024} KiB")


def painted(scene: Scene, url: str) -> Image.Image:
    """A scene's sheet."""
    picture = Image.open(PICTURES / scene.picture)
    prompt = Panel(picture, scene.crop, LARGE)
    for mark in scene.marks:
        mark.paint(prompt)
    answers = []
    for output in OUTPUTS:
        panel = Panel(picture, scene.crop, SMALL)
        for region in answered(url, PICTURES / scene.picture, scene.marks, output):
            paint(region, panel)
        answers.append((output, panel))
    return sheet((scene.name, prompt), answers)


def answered(url: str, picture: Path, marks: Sequence[Mark], output: str) -> list[Item]:
    """The regions that the server answers when all marks are drawn, one after the other."""
    items = [mark.item(Image.open(picture).size) for mark in marks]
    regions: list[Item] = []
    for count in range(1, len(items) + 1):
        regions = predict(url, picture, items[:count], output)
    return regions


def predict(url: str, picture: Path, items: list[Item], output: str) -> list[Item]:
    """The answer to one request."""
    tools = "".join(f'<{tool} name="{tool}" toName="image" samOutput="{output.lower()}"/>' for tool in TOOLS)
    answering = f'<{output} name="answer" toName="image" closable="true"/>'
    body = {
        "tasks": [{"id": 1, "data": {"image": data_url(picture)}}],
        "label_config": f'<View><Image name="image" value="$image"/>{answering}{tools}</View>',
        "params": {"context": {"result": items}},
    }
    request = urllib.request.Request(
        url.rstrip("/") + "/predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        regions: list[Item] = json.load(answer)["results"][0]["result"]
    return regions


def data_url(picture: Path) -> str:
    """The picture in a URL."""
    return "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()


def paint(region: Item, panel: Panel) -> None:
    """A region as the editor would show it."""
    width, height = region["original_width"], region["original_height"]
    percent = np.array([width, height]) / 100
    match region["value"]:
        case {"rle": rle}:
            panel.paint(np.asarray(decode_rle(rle)).reshape(height, width, 4)[..., 3] > 0, BLUE)
        case {"imageDataURL": image}:
            png = Image.open(io.BytesIO(base64.b64decode(image.split(",")[1]))).convert("RGBA")
            panel.paint(np.asarray(png)[..., 3] > 0, BLUE)
        case {"points": points}:
            ring(np.array(points) * percent, panel)
        case {"vertices": vertices}:
            ring(np.array([(vertex["x"], vertex["y"]) for vertex in vertices]) * percent, panel)
        case {"radiusX": rx, "radiusY": ry, "x": x, "y": y, "rotation": rotation}:
            radii = rx * width / 100, ry * height / 100
            panel.outline(Ellipse(x * width / 100, y * height / 100, radii, rotation).ring(), BLUE)
        case {"x": x, "y": y, "width": across, "height": down}:
            corners = [(x, y), (x + across, y), (x + across, y + down), (x, y + down)]
            panel.outline(np.array(corners) * percent, BLUE)


def ring(corners: NDArray[np.float64], panel: Panel) -> None:
    """A polygon or vector with its corners."""
    panel.outline(corners, BLUE)
    panel.corners(corners, BLUE)


if __name__ == "__main__":
    main()
