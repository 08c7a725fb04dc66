"""How long a first and a warm click take, for any backend of Label Studio's, over HTTP on the loopback.

python benchmarks/clicks.py [--url http://127.0.0.1:9090] [--clicks 40]

The images are drawn, and served from this process, so the backend must be allowed to fetch from 127.0.0.1
(samserve: SAMSERVE_ALLOW_HOSTS=127.0.0.1). Every answer must hold a region; a new connection is made for each click,
as Label Studio makes one.
"""

import argparse
import io
import json
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SIZES = {"0.3 MP": (640, 480), "2 MP": (1920, 1080), "12 MP": (4000, 3000)}
CONFIG = (
    '<View><Image name="image" value="$image"/>'
    '<BrushLabels name="brush" toName="image"><Label value="A"/></BrushLabels>'
    '<KeyPointLabels name="kp" toName="image" smart="true"><Label value="A"/></KeyPointLabels></View>'
)


def main() -> None:
    """Prints one row per image size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:9090")
    parser.add_argument("--clicks", type=int, default=40)
    arguments = parser.parse_args()
    print(f"{'image':8} {'first ms':>9} {'warm p50':>9} {'warm p95':>9}")
    for name, (width, height) in SIZES.items():
        with served(picture(width, height)) as image:
            first, *warm = [click(arguments.url, image, width, height, k) for k in range(arguments.clicks + 1)]
        print(f"{name:8} {first:9.0f} {np.percentile(warm, 50):9.1f} {np.percentile(warm, 95):9.1f}", flush=True)


def picture(width: int, height: int) -> bytes:
    """Blobs on noise, as JPEG; other bytes each time, so that no backend has seen them before."""
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(60, 100, (height // 4, width // 4, 3), np.uint8)).resize((width, height))
    draw = ImageDraw.Draw(image)
    for k in range(8):
        x, y, r = int(width * (k + 0.5) / 8), height // 2, height // 10
        draw.ellipse([x - r, y - r, x + r, y + r], fill=tuple(int(c) for c in rng.integers(120, 255, 3)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90, comment=uuid.uuid4().hex)
    return buffer.getvalue()


@contextmanager
def served(content: bytes) -> Iterator[str]:
    """The URL of `content` on the loopback; a new one each time."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{uuid.uuid4()}.jpg"
        server.shutdown()


def click(url: str, image: str, width: int, height: int, number: int) -> float:
    """Milliseconds from the request to the whole answer."""
    value = {"x": 100 * (number % 8 + 0.5) / 8, "y": 50.0, "width": 0.25, "keypointlabels": ["A"]}
    item: dict[str, Any] = {"id": f"click{number}", "from_name": "kp", "to_name": "image", "type": "keypointlabels"}
    item |= {"original_width": width, "original_height": height, "image_rotation": 0, "is_positive": True}
    body = {
        "tasks": [{"id": 1, "data": {"image": image}}],
        "project": "1.1",
        "label_config": CONFIG,
        "params": {"login": None, "password": None, "context": {"result": [item | {"value": value}]}},
    }
    request = urllib.request.Request(
        url.rstrip("/") + "/predict", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=100) as answer:
        content = answer.read()
    elapsed = (time.perf_counter() - started) * 1e3
    if not json.loads(content)["results"][0]["result"]:
        raise SystemExit(f"{url} answered without a region")
    return elapsed


if __name__ == "__main__":
    main()
