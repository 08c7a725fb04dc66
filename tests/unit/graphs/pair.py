"""A stock decoder next to the graphs that are built of it, and every kind of points to ask them about."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from server.graphs.build import build
from server.models.mask_windows import assembled
from tests.sam_decoder import UPSCALED, WIDTH

GRID, INPUT_SIZE = 4, 64
Floats = NDArray[np.float32]
Points = list[tuple[float, float, float]]  # x, y, label
PROMPTS: dict[str, Points] = {
    "a click": [(10.0, 20.0, 1.0), (0.0, 0.0, -1.0)],
    "a box": [(3.0, 4.0, 2.0), (50.0, 40.0, 3.0)],
    "clicks": [(10.0, 20.0, 1.0), (60.0, 5.0, 0.0), (33.0, 31.0, 1.0), (0.0, 0.0, -1.0)],
    "a click and a box": [(10.0, 20.0, 1.0), (3.0, 4.0, 2.0), (50.0, 40.0, 3.0)],
    "many clicks": [(6.0 * k, 60.0 - 5 * k, float(k % 2)) for k in range(10)] + [(0.0, 0.0, -1.0)],
}


class Pair:
    """A stock decoder and the graphs built of it, asked about one random image and mask.

    Attributes:
        extent: the rows and columns of the grid that the graphs show, where they do not show all.
    """

    def __init__(self, stock: Path, padded: bool = False, extent: tuple[int, int] = (GRID, GRID)) -> None:
        rng, side = np.random.default_rng(5), 4 * GRID
        self.stock = _session(str(stock))
        self.built = {name: _session(graph.content) for name, graph in build(stock, padded).items()}
        self.tensors: dict[str, Floats] = {
            "image_embeddings": rng.normal(size=(1, WIDTH, GRID, GRID)).astype(np.float32),
            "mask_input": rng.normal(0, 5, (1, 1, side, side)).astype(np.float32),
            "high_res_feats_0": rng.normal(size=(1, UPSCALED[1], side, side)).astype(np.float32),
            "high_res_feats_1": rng.normal(size=(1, UPSCALED[0], side // 2, side // 2)).astype(np.float32),
            "hq_features": rng.normal(size=(1, UPSCALED[1], side, side)).astype(np.float32),
            "orig_im_size": np.ones(2, np.float32),
        }
        self.extent = extent
        self.tensors |= _run(self.built["image"], self.tensors)
        if "extent" in {tensor.name for tensor in self.built["click"].get_inputs()}:
            upscaled = self.tensors["upscaled"].reshape(GRID, GRID, -1)[: extent[0], : extent[1]]
            self.tensors["upscaled"] = upscaled.reshape(extent[0] * extent[1], -1)
            self.tensors["extent"] = np.array(extent, np.float32)

    def expected(self, points: Points, with_mask: bool) -> tuple[Floats, Floats]:
        """The stock decoder's masks (M, h, w), and their predicted IoUs (M,)."""
        return self._outputs(self.stock, points, with_mask)

    def answered(self, points: Points, with_mask: bool) -> tuple[Floats, Floats]:
        """Those of the graphs that were built, for which M is 4."""
        return self._outputs(self.built["click_with_mask" if with_mask else "click"], points, with_mask)

    def _outputs(self, graph: ort.InferenceSession, points: Points, with_mask: bool) -> tuple[Floats, Floats]:
        rows = np.array(points, np.float32)[None]
        asked = {"point_coords": rows[..., :2], "point_labels": rows[..., 2]}
        outputs = _run(graph, self.tensors | asked | {"has_mask_input": np.array([with_mask], np.float32)})
        if "mask_windows" in outputs:
            outputs["low_res_masks"] = assembled(outputs["mask_windows"], self.extent, GRID)
        return outputs["low_res_masks"][0], outputs["iou_predictions"][0]


def _session(graph: bytes | str) -> ort.InferenceSession:
    return ort.InferenceSession(graph, providers=["CPUExecutionProvider"])


def _run(graph: ort.InferenceSession, tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    names = [output.name for output in graph.get_outputs()]
    feeds = {tensor.name: tensors[tensor.name] for tensor in graph.get_inputs()}
    return dict(zip(names, graph.run(names, feeds), strict=True))
