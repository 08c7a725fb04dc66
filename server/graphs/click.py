"""The click graph: from an image's derived tensors and one prompt to four masks and their predicted IoUs."""

from onnx import TensorProto

from server.graphs.algebra import grid_encoding
from server.graphs.crossing import look, show
from server.graphs.emit import Emitter, OnnxGraph, Shape
from server.graphs.hq import hq_mask_logits
from server.graphs.image import image_tensors
from server.graphs.mask_prompt import mask_term
from server.graphs.sides import ImageAlone, ImageSide, MaskTerm, Pixels
from server.graphs.tokens import (
    EPSILON,
    absence,
    asked_of_masks,
    mlp,
    norm,
    outputs,
    predicted_ious,
    prompt_tokens,
    self_attention,
)
from server.graphs.upscale import Update, mask_logits, upscaled, window_logits
from server.graphs.weights import DecoderWeights

_FINAL = "transformer.final_attn_token_to_image"


def click_graph(weights: DecoderWeights, with_mask: bool, padded: bool = False) -> OnnxGraph:
    """`image_tensors`, (1, P, 2) `point_coords`, (1, P) `point_labels` -> `low_res_masks`, `iou_predictions`.

    The masks are (1, 4, 4 * grid, 4 * grid) logits, the IoUs (1, 4): the single mask first, then three candidates.
    With a mask, (1, 1, 4 * grid, 4 * grid) logits `mask_input` are needed too; of HQ-SAM the encoder's
    (1, C', 4 * grid, 4 * grid) `hq_features`. In a padded graph points may be ABSENT: the answer is the one without.

    A graph for SAM itself that is not padded makes the part of the masks where the image is: it takes (2,) `extent`,
    the rows and columns that are meant, `upscaled` of those alone, and gives (4, 16 * rows * columns) `mask_windows`,
    in the order of `upscale.upscaled`. (SAM 2's images fill the grid; HQ-SAM's convolutions see beyond the image.)
    """
    e, side = Emitter(), 4 * weights.grid
    mask = mask_term(e, weights) if with_mask else None
    inputs: dict[str, Shape] = {"point_coords": [1, "points", 2], "point_labels": [1, "points"]}
    inputs |= image_tensors(weights) | ({"mask_input": [1, 1, side, side]} if with_mask else {})
    if weights.is_hq:
        inputs["hq_features"] = [1, weights["hf_mlp.layers.2.bias"].size, side, side]
    in_part = not (padded or weights.is_hq or weights.is_sam2)
    if in_part:
        inputs |= {"extent": [2], "upscaled": ["shown", image_tensors(weights)["upscaled"][1]]}
    logits, ious = _Decoder(e, weights, mask, padded, in_part).run()
    masks: dict[str, tuple[str, Shape]] = (
        {"mask_windows": (logits, [4, "logits"])} if in_part else {"low_res_masks": (logits, [1, 4, side, side])}
    )
    return e.model(inputs, masks | {"iou_predictions": (ious, [1, 4])})


class _Decoder:
    """The two-way transformer of two layers, its final attention, and the outputs."""

    def __init__(self, e: Emitter, weights: DecoderWeights, mask: MaskTerm | None, padded: bool, in_part: bool) -> None:
        self._e, self._weights, self._mask = e, weights, mask
        self._extent = e.do("Cast", "extent", to=TensorProto.INT64) if in_part else None
        self._absent = absence(e, weights) if padded else None
        self._shape = (weights.pixels, weights.width)
        self._places = e.constant(grid_encoding(weights["pe_layer.positional_encoding_gaussian_matrix"], weights.grid))
        self._encoding = prompt_tokens(e, weights)  # the tokens' own encoding is what they start as

    def run(self) -> tuple[str, str]:
        keys = ImageAlone(self._e, self._mask, self._weights.pixels, "keys", "values")
        queries = ImageAlone(self._e, self._mask, self._weights.pixels, "queries")
        tokens = self_attention(self._e, self._weights, 0, self._encoding, None, self._absent)
        tokens, first, rows = self._cross(0, tokens, (keys, queries), "pixels")
        image = self._pixels(rows)
        tokens = self_attention(self._e, self._weights, 1, tokens, self._encoding, self._absent)
        tokens, second, rows = self._cross(1, tokens, (image, image), rows)
        placed = outputs(self._e, self._weights, self._placed(tokens))  # nobody asks what the points see in the end
        seen = look(self._e, self._weights, _FINAL, placed, self._pixels(rows))
        attended = self._e.do("Add", outputs(self._e, self._weights, tokens), seen)
        tokens = norm(self._e, self._weights, "transformer.norm_final_attn", attended)
        asked = asked_of_masks(self._e, self._weights, tokens)
        positions = upscaled(self._e, self._weights, "upscaled", (first, second), self._extent)
        return self._logits(positions, asked), predicted_ious(self._e, self._weights, tokens)

    def _logits(self, positions: str, asked: str) -> str:
        if self._extent is not None:
            return window_logits(self._e, positions, asked)
        whole = hq_mask_logits if self._weights.is_hq else mask_logits
        return whole(self._e, self._weights, positions, asked)

    def _cross(
        self, layer: int, tokens: str, images: tuple[ImageSide, ImageSide], rows: str
    ) -> tuple[str, Update, str]:
        """A layer's attentions between tokens and image: the tokens, what the image's rows gained, and the rows."""
        module = f"transformer.layers.{layer}"
        looked_at, shown_to = images
        seen = look(self._e, self._weights, f"{module}.cross_attn_token_to_image", self._placed(tokens), looked_at)
        tokens = norm(self._e, self._weights, f"{module}.norm2", self._e.do("Add", tokens, seen))
        tokens = mlp(self._e, self._weights, layer, tokens)
        both = (tokens, self._placed(tokens), self._absent)
        shares, values = show(self._e, self._weights, f"{module}.cross_attn_image_to_token", both, shown_to)
        if layer == 0 and self._mask is not None:  # the mask's rows are added where the tokens' are
            shares = self._e.do("Concat", shares, self._mask.basis, axis=0)
            values = self._e.do("Concat", values, self._e.constant(self._mask.weight), axis=0)
        # one Gemm: onnxruntime would fuse an Add with the norm into SkipLayerNormalization, which takes 5 times as long
        changed = self._e.do("Gemm", shares, values, rows, transA=1)
        gain, bias = (self._e.constant(value) for value in self._weights.layer(f"{module}.norm4"))
        rows, _, scale = self._e.do_for(3, "LayerNormalization", changed, gain, bias, axis=-1, epsilon=EPSILON)
        return tokens, Update(shares, values, scale), rows

    def _pixels(self, rows: str) -> Pixels:
        return Pixels(self._e, rows, self._e.do("Add", rows, self._places), self._shape)

    def _placed(self, tokens: str) -> str:
        return self._e.do("Add", tokens, self._encoding)
