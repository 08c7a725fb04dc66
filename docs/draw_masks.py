"""Asks a running samserve for masks of the pictures beside this file, and paints them into pictures/masks.jpg.

python docs/draw_masks.py [--url http://127.0.0.1:9090]
"""

import argparse
import base64
import json
import urllib.request
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from label_studio_sdk.converter.brush import decode_rle
from numpy.typing import NDArray
from PIL import Image

PICTURES = Path(__file__).parent / "pictures"
CONFIG = (
    '<View><Image name="image" value="$image"/><BrushLabels name="brush" toName="image"/>'
    '<KeyPointLabels name="kp" toName="image"/><RectangleLabels name="rect" toName="image"/></View>'
)
HEIGHT = 360  # of each panel, in px
BLUE, GREEN, RED = (30, 120, 255), (20, 200, 90), (240, 50, 50)

# picture -> positive clicks, negative clicks, box (x1, y1, x2, y2), all in px of the picture
PANELS: list[tuple[str, list[tuple[int, int]], list[tuple[int, int]], tuple[int, int, int, int] | None]] = [
    ("coffee.jpg", [(300, 150)], [], None),
    ("chelsea.jpg", [], [], (132, 84, 196, 146)),
    ("astronaut.jpg", [(215, 130), (210, 360)], [(40, 200)], None),
]


def main() -> None:
    """Draws all panels side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:9090")
    url = parser.parse_args().url
    panels = [panel(url, name, positive, negative, box) for name, positive, negative, box in PANELS]
    Image.fromarray(np.hstack(panels)).save(PICTURES / "masks.jpg", quality=90)


def panel(
    url: str,
    name: str,
    positive: list[tuple[int, int]],
    negative: list[tuple[int, int]],
    box: tuple[int, int, int, int] | None,
) -> NDArray[np.uint8]:
    """One picture with its prompt and its mask, HEIGHT px high."""
    picture = np.asarray(Image.open(PICTURES / name).convert("RGB"))
    height, width = picture.shape[:2]
    drawn = [keypoint(x, y, width, height, True) for x, y in positive]
    drawn += [keypoint(x, y, width, height, False) for x, y in negative]
    if box:
        x1, y1, x2, y2 = box
        value = {"x": 100 * x1 / width, "y": 100 * y1 / height, "rotation": 0}
        value |= {"width": 100 * (x2 - x1) / width, "height": 100 * (y2 - y1) / height}
        drawn.append(item("rect", value, width, height))
    mask = segment(url, PICTURES / name, drawn)
    print(f"{name}: {mask.mean():.1%} of the picture")
    scale = HEIGHT / height
    canvas = np.where(mask[..., None], picture * 0.45 + np.array(BLUE) * 0.55, picture).astype(np.uint8)
    canvas = np.ascontiguousarray(cv2.resize(canvas, (round(width * scale), HEIGHT), interpolation=cv2.INTER_AREA))
    if box:
        corners = [round(side * scale) for side in box]
        cv2.rectangle(canvas, (corners[0], corners[1]), (corners[2], corners[3]), GREEN, 2, cv2.LINE_AA)
    for color, clicks in ((GREEN, positive), (RED, negative)):
        for x, y in clicks:
            cv2.circle(canvas, (round(x * scale), round(y * scale)), 7, (255, 255, 255), -1, cv2.LINE_AA)
            cv2.circle(canvas, (round(x * scale), round(y * scale)), 5, color, -1, cv2.LINE_AA)
    return canvas.astype(np.uint8)


def keypoint(x: int, y: int, width: int, height: int, positive: bool) -> dict[str, Any]:
    """A key point as the editor sends it."""
    value = {"x": 100 * x / width, "y": 100 * y / height, "width": 0.25}
    return item("kp", value, width, height) | {"is_positive": positive}


def item(control: str, value: dict[str, Any], width: int, height: int) -> dict[str, Any]:
    """A drawn item as the editor sends it."""
    size = {"original_width": width, "original_height": height, "image_rotation": 0}
    return {"from_name": control, "to_name": "image", "value": value} | size


def segment(url: str, picture: Path, drawn: list[dict[str, Any]]) -> NDArray[np.bool_]:
    """The mask that the server answers."""
    image = "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()
    body = {
        "tasks": [{"id": 1, "data": {"image": image}}],
        "label_config": CONFIG,
        "params": {"context": {"result": drawn}},
    }
    request = urllib.request.Request(
        url.rstrip("/") + "/predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        region = json.load(answer)["results"][0]["result"][0]
    pixels = np.asarray(decode_rle(region["value"]["rle"]))
    mask: NDArray[np.bool_] = pixels.reshape(region["original_height"], region["original_width"], 4)[..., 3] > 0
    return mask


if __name__ == "__main__":
    main()
