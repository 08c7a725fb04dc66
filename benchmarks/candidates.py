"""Which of the decoder's masks should answer one click, or a box: mean IoU on the quality set by rule.

QUALITY_SET=... python -m benchmarks.candidates

The first click and the box are those of the usual robot user. Beside each mean stands the difference to the rule that
is served (best predicted IoU), paired by object, and its standard error.
"""

import os

import numpy as np
from numpy.typing import NDArray

from server.core.geometry import Box, Point
from server.core.prediction import Logits
from server.core.prompt import Prompt
from server.environment import read_settings
from server.images.decode import decode_image
from server.models import sam
from server.runtime.decoders import SplitDecoder
from server.runtime.model import SamModel
from server.weights.built import built_decoder
from server.weights.store import GraphStore, find_manifest
from tests.weights.robot import first_click, iou, objects, quality_set

Table = NDArray[np.float64]  # (objects, 4 masks, 4): IoU, predicted IoU, stability, area


def main() -> None:
    """Prints one row per kind of prompt and rule."""
    settings = read_settings(os.environ)
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest(settings.model, store.root)
    model = SamModel(manifest, store.folder(manifest), settings.cores)
    folder, graphs = built_decoder(manifest, store)
    decoder = SplitDecoder(graphs, folder, manifest.preprocessing, settings.cores)
    rows: dict[str, list[list[list[float]]]] = {"1 click": [], "box": []}
    for thing in objects(quality_set()):
        embedding = model.encode(decode_image(thing.photo.read_bytes(), 10**9))
        x, y, _ = first_click(thing)
        asked = {"1 click": Prompt(embedding.size, (Point(x, y),)), "box": Prompt(embedding.size, box=Box(*thing.bbox))}
        for kind, prompt in asked.items():
            found = decoder.run(embedding, sam.decoder_inputs(embedding, prompt, manifest.preprocessing))
            row = []
            for number in range(4):
                one = {name: tensor[:, number : number + 1] for name, tensor in found.items()}
                answer = sam.prediction(one, embedding, prompt, manifest.preprocessing)
                logits = answer.low_res_logits
                row.append(
                    [iou(thing, answer.mask), answer.iou_prediction, stability(logits), float((logits > 0).sum())]
                )
            rows[kind].append(row)
    for kind, table in rows.items():
        report(kind, np.array(table))


def report(kind: str, table: Table) -> None:
    """Prints each rule's mean IoU."""
    ious, predicted, stable, area = np.moveaxis(table, -1, 0)
    rules = {
        "best predicted IoU": predicted,
        "most stable": stable,
        "sum of both": predicted + stable,
        "smallest": -area,
        "largest": area,
        "best in truth": ious,
    }
    picked = {name: _of(ious, 1 + score[:, 1:].argmax(axis=1)) for name, score in rules.items()}
    picked["first mask"] = ious[:, 0]
    for name, values in picked.items():
        gain = values - picked["best predicted IoU"]
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        print(f"{kind:8} {name:20} {values.mean():.3f}  {gain.mean():+.4f} +- {error:.4f}", flush=True)


def stability(logits: Logits) -> float:
    """IoU of the masks at logits over 1 and over -1, as segment_anything's automatic mask generator has it."""
    return float((logits > 1).sum() / max(1, (logits > -1).sum()))


def _of(ious: NDArray[np.float64], numbers: NDArray[np.intp]) -> NDArray[np.float64]:
    return ious[np.arange(len(ious)), numbers]


if __name__ == "__main__":
    main()
