"""The floor: what a click cannot be faster than with the stock decoder, which is run here with nothing around it."""

import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

from server.errors import ModelUnusable
from server.settings import Settings
from server.weights.store import GraphStore, find_manifest

_MODEL = "mobile_sam"


class Floor:
    """The stock decoder, one click's input, low-resolution output; `threads` as the server has them."""

    def __init__(self, graph: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it must not slow the server down
        self._session = ort.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self._feeds = {
            "image_embeddings": np.random.default_rng(0).normal(0, 0.1, (1, 256, 64, 64)).astype(np.float32),
            "point_coords": np.array([[[500, 375], [0, 0]]], np.float32),
            "point_labels": np.array([[1, -1]], np.float32),
            "mask_input": np.zeros((1, 1, 256, 256), np.float32),
            "has_mask_input": np.zeros(1, np.float32),
            "orig_im_size": np.array([256, 256], np.float32),
        }
        self.run()

    def run(self) -> float:
        """Milliseconds of one run."""
        started = time.perf_counter()
        self._session.run(["low_res_masks", "iou_predictions"], self._feeds)
        return (time.perf_counter() - started) * 1e3


def stock_decoder(settings: Settings) -> Path:
    """The graph.

    Raises:
        ModelUnusable: it is not here.
    """
    store = GraphStore(settings.cache_path / "weights")
    manifest = find_manifest(_MODEL, store.root)
    problem = store.problem(manifest, manifest.decoder)
    if problem:
        raise ModelUnusable(f"{manifest.decoder.file} is {problem}; run: samserve weights pull {manifest.name}")
    return store.folder(manifest) / manifest.decoder.file
