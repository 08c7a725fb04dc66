"""A small HQ-SAM decoder with random weights, in ONNX: the textbook algebra, step by step."""

from pathlib import Path

import numpy as np

from tests.sam_decoder import UPSCALED, Ends, Textbook


def write_hq_decoder(path: Path, grid: int, input_size: int, seed: int = 0) -> None:
    """Writes a decoder of (1, WIDTH, grid, grid) embeddings, and features four times as wide, to `path`."""
    _HqTextbook(grid, input_size, np.random.default_rng(seed)).write(path)


class _HqTextbook(Textbook):
    """A sixth token asks the upscaled image, after two more convolutions, for a mask that is added to each."""

    tokens = 6

    def ends(self, side: int) -> tuple[Ends, Ends]:
        inputs, _ = super().ends(side)
        del inputs["orig_im_size"]
        inputs["hq_features"] = [1, UPSCALED[1], side, side]
        return inputs, {"low_res_masks": [1, 4, side, side], "iou_predictions": [1, 4]}

    def masks(self, tokens: str, image: str) -> str:
        channels = UPSCALED[1]
        inner = self.convolution_3x3(image, "mask_decoder.embedding_maskfeature.0", channels, 2 * channels)
        inner = self.gelu(self.channel_norm(inner, 2 * channels))
        outer = self.convolution_3x3(inner, "mask_decoder.embedding_maskfeature.3", 2 * channels, channels)
        features = self.do("Reshape", self.do("Add", outer, "hq_features"), self.value([1, channels, -1]))
        own = self.do(
            "MatMul", self.do("Unsqueeze", self.mlp(tokens, 5, "hf_mlp", channels), self.value([1])), features
        )
        return self.do("Add", super().masks(tokens, image), own)

    def convolution_3x3(self, image: str, module: str, before: int, after: int) -> str:
        weight = self.random(after, before, 3, 3, name=f"{module}.weight", scale=0.2)
        bias = self.random(after, name=f"{module}.bias")
        return self.do("Conv", image, weight, bias, kernel_shape=[3, 3], pads=[1, 1, 1, 1])

    def choose(self, logits: str, ious: str) -> None:
        self.do("Unsqueeze", logits, self.value([0]), to="low_res_masks")
        self.do("Identity", ious, to="iou_predictions")
