"""A small SAM 2 decoder with random weights, in ONNX: the textbook, step by step."""

from pathlib import Path

import numpy as np

from tests.sam_decoder import UPSCALED, Ends, Textbook


def write_sam2_decoder(path: Path, grid: int, input_size: int, seed: int = 0) -> None:
    """Writes a decoder of (1, WIDTH, grid, grid) embeddings and two finer maps to `path`."""
    _Sam2Textbook(grid, input_size, np.random.default_rng(seed)).write(path)


class _Sam2Textbook(Textbook):
    """A token nobody asks here comes first, finer maps are added on the way up, and IoUs are squashed."""

    tokens = 6
    iou_token = 1

    def ends(self, side: int) -> tuple[Ends, Ends]:
        inputs, _ = super().ends(side)
        del inputs["orig_im_size"]
        inputs["high_res_feats_0"] = [1, UPSCALED[1], side, side]
        inputs["high_res_feats_1"] = [1, UPSCALED[0], side // 2, side // 2]
        return inputs, {"low_res_masks": [1, 4, side, side], "iou_predictions": [1, 4]}

    def finer(self, image: str, level: int) -> str:
        return self.do("Add", image, f"high_res_feats_{level}")

    def choose(self, logits: str, ious: str) -> None:
        self.do("Unsqueeze", logits, self.value([0]), to="low_res_masks")
        self.do("Sigmoid", ious, to="iou_predictions")
