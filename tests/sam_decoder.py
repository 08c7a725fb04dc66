"""A small SAM decoder with random weights, in ONNX as segment_anything exports it: the textbook, step by step."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.layers import Layers

HEADS, WIDTH, INNER, HIDDEN, MASK_CHANNELS, UPSCALED = 8, 32, 16, 64, (2, 8), (8, 4)
Ends = dict[str, list[int | str]]


def write_sam_decoder(path: Path, grid: int, input_size: int, seed: int = 0) -> None:
    """Writes a decoder of (1, WIDTH, grid, grid) embeddings to `path`."""
    Textbook(grid, input_size, np.random.default_rng(seed)).write(path)


class Textbook(Layers):
    tokens = 5  # that become answers
    iou_token = 0  # the mask tokens follow

    def __init__(self, grid: int, input_size: int, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.grid, self.input_size = grid, input_size

    def write(self, path: Path) -> None:
        self.decode()
        model = helper.make_model(self.graph(), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, str(path))

    def ends(self, side: int) -> tuple[Ends, Ends]:
        """Shapes of inputs and outputs."""
        inputs: Ends = {
            "image_embeddings": [1, WIDTH, self.grid, self.grid],
            "point_coords": [1, "points", 2],
            "point_labels": [1, "points"],
            "mask_input": [1, 1, side, side],
            "has_mask_input": [1],
            "orig_im_size": [2],
        }
        return inputs, {"low_res_masks": [1, 1, side, side], "iou_predictions": [1, 1]}

    def graph(self) -> onnx.GraphProto:
        ends = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in named.items()]
            for named in self.ends(4 * self.grid)
        ]
        return helper.make_graph(self.nodes, "sam", ends[0], ends[1], list(self.values.values()))

    def attention(self, module: str, tensors: tuple[str, str, str], inner: int) -> str:
        """Of queries on keys and values, all (1, rows, WIDTH)."""
        heads = []
        for name, rows in zip("qkv", tensors, strict=True):
            projected = self.linear(rows, f"{module}.{name}_proj", WIDTH, inner)
            by_head = self.do("Reshape", projected, self.value([0, 0, HEADS, -1]))
            heads.append(self.do("Transpose", by_head, perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]))
        scores = self.do("Div", self.do("MatMul", heads[0], heads[1]), self.value(np.sqrt(inner / HEADS)))
        answer = self.do("MatMul", self.do("Softmax", scores, axis=-1), heads[2])
        joined = self.do("Reshape", self.do("Transpose", answer, perm=[0, 2, 1, 3]), self.value([0, 0, -1]))
        return self.linear(joined, f"{module}.out_proj", inner, WIDTH)

    def points(self, gaussian: str) -> str:
        """The points' tokens; padding has no place, and every kind of point an embedding of its own."""
        moved = self.do("Div", self.do("Add", "point_coords", self.value(0.5)), self.value(float(self.input_size)))
        places = self.encoded(self.do("Sub", self.do("Mul", moved, self.value(2.0)), self.value(1.0)), gaussian)
        labels = self.do("Unsqueeze", "point_labels", self.value([-1]))
        rows = self.do("Mul", places, self.do("Sub", self.value(1.0), self.are(labels, -1.0)))
        kinds = [("not_a_point_embed", -1.0), *((f"point_embeddings.{kind}", float(kind)) for kind in range(4))]
        for name, label in kinds:
            embedding = self.random(1, WIDTH, name=f"model.prompt_encoder.{name}.weight", scale=1)
            rows = self.do("Add", rows, self.do("Mul", embedding, self.are(labels, label)))
        return rows

    def are(self, labels: str, label: float) -> str:
        return self.do("Cast", self.do("Equal", labels, self.value(label)), to_type=TensorProto.FLOAT)

    def encoded(self, places: str, gaussian: str) -> str:
        angles = self.do("Mul", self.do("MatMul", places, gaussian), self.value(2 * np.pi))
        return self.do("Concat", self.do("Sin", angles), self.do("Cos", angles), axis=-1)

    def dense(self) -> str:
        """(1, WIDTH, grid, grid): what the mask, or having none, adds to the image embedding."""
        image, before = "mask_input", 1
        for number, channels in zip((0, 3), MASK_CHANNELS, strict=True):
            image = self.convolution(
                "Conv", image, f"model.prompt_encoder.mask_downscaling.{number}", (channels, before)
            )
            image, before = self.gelu(self.channel_norm(image, channels)), channels
        name = "model.prompt_encoder.mask_downscaling.6"
        weight = self.random(WIDTH, before, 1, 1, name=f"{name}.weight", scale=0.3)
        of_mask = self.do("Conv", image, weight, self.random(WIDTH, name=f"{name}.bias"))
        none = self.do("Mul", self.do("Sub", self.value(1.0), "has_mask_input"), self.random(1, WIDTH, 1, 1, scale=0.5))
        return self.do("Add", self.do("Mul", "has_mask_input", of_mask), none)

    def decode(self) -> None:
        gaussian = self.random(2, WIDTH // 2, name="model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix")
        points, image = self.points(gaussian), self.do("Add", "image_embeddings", self.dense())
        encoding = self.do("Concat", self.random(1, self.tokens, WIDTH, scale=1), points, axis=1)
        x, y = np.meshgrid(*[(np.arange(self.grid) + 0.5) / self.grid * 2 - 1] * 2)
        places = self.encoded(self.value(np.stack([x.ravel(), y.ravel()], axis=-1)[None]), gaussian)
        rows = self.do("Transpose", self.do("Reshape", image, self.value([1, WIDTH, -1])), perm=[0, 2, 1])
        tokens, rows = self.transformer(encoding, rows, places)
        columns = self.do("Transpose", rows, perm=[0, 2, 1])
        self.answer(tokens, self.do("Reshape", columns, self.value([1, WIDTH, self.grid, self.grid])))

    def transformer(self, encoding: str, rows: str, places: str) -> tuple[str, str]:
        name, tokens = "mask_decoder.transformer", encoding
        for layer in (f"{name}.layers.0", f"{name}.layers.1"):
            first = tokens == encoding
            placed = tokens if first else self.do("Add", tokens, encoding)
            seen = self.attention(f"{layer}.self_attn", (placed, placed, tokens), WIDTH)
            tokens = self.norm(seen if first else self.do("Add", tokens, seen), f"{layer}.norm1", WIDTH)
            seen = self.look(f"{layer}.cross_attn_token_to_image", (tokens, encoding), (rows, places))
            tokens = self.norm(self.do("Add", tokens, seen), f"{layer}.norm2", WIDTH)
            hidden = self.do("Relu", self.linear(tokens, f"{layer}.mlp.lin1", WIDTH, HIDDEN))
            answer = self.linear(hidden, f"{layer}.mlp.lin2", HIDDEN, WIDTH)
            tokens = self.norm(self.do("Add", tokens, answer), f"{layer}.norm3", WIDTH)
            shown = self.look(f"{layer}.cross_attn_image_to_token", (rows, places), (tokens, encoding))
            rows = self.norm(self.do("Add", rows, shown), f"{layer}.norm4", WIDTH)
        seen = self.look(f"{name}.final_attn_token_to_image", (tokens, encoding), (rows, places))
        return self.norm(self.do("Add", tokens, seen), f"{name}.norm_final_attn", WIDTH), rows

    def look(self, module: str, queries: tuple[str, str], keys: tuple[str, str]) -> str:
        return self.attention(module, (self.do("Add", *queries), self.do("Add", *keys), keys[0]), INNER)

    def answer(self, tokens: str, image: str) -> None:
        image = self.convolution("ConvTranspose", image, "mask_decoder.output_upscaling.0", (WIDTH, UPSCALED[0]))
        image = self.gelu(self.channel_norm(self.finer(image, 1), UPSCALED[0]))
        image = self.convolution("ConvTranspose", image, "mask_decoder.output_upscaling.3", UPSCALED)
        image = self.gelu(self.finer(image, 0))
        logits, ious = self.masks(tokens, image), self.mlp(tokens, self.iou_token, "iou_prediction_head", 4)
        self.choose(self.do("Reshape", logits, self.value([4, 4 * self.grid, 4 * self.grid])), ious)

    def finer(self, image: str, level: int) -> str:
        """The image on its way up, as it is."""
        return image

    def masks(self, tokens: str, image: str) -> str:
        pixels = self.do("Reshape", image, self.value([1, UPSCALED[1], -1]))
        first, name = self.iou_token + 1, "output_hypernetworks_mlps"
        asked = [self.mlp(tokens, first + mask, f"{name}.{mask}", UPSCALED[1]) for mask in range(4)]
        rows = [self.do("Unsqueeze", row, self.value([1])) for row in asked]
        return self.do("MatMul", self.do("Concat", *rows, axis=1), pixels)

    def mlp(self, tokens: str, token: int, module: str, out: int) -> str:
        answer = self.do("Gather", tokens, self.value(np.array(token)), axis=1)
        for step in range(3):
            answer = self.gemm(answer, f"mask_decoder.{module}.layers.{step}", WIDTH, out if step == 2 else WIDTH)
            answer = answer if step == 2 else self.do("Relu", answer)
        return answer

    def choose(self, logits: str, ious: str) -> None:
        """The best of the last three of two points, the first of more."""
        points = self.do("Gather", self.do("Shape", "point_coords"), self.value(np.array(1)))
        more = self.do("Sub", self.do("Cast", points, to_type=TensorProto.FLOAT), self.value(2.5))
        scores = self.do("Add", ious, self.do("Mul", more, self.value([[1000.0, 0.0, 0.0, 0.0]])))
        best = self.do("ArgMax", scores, axis=1, keepdims=0)
        chosen = self.do("Gather", logits, best, axis=0)
        self.do("Unsqueeze", chosen, self.value([0]), to="low_res_masks")
        self.do("Gather", ious, best, axis=1, to="iou_predictions")
