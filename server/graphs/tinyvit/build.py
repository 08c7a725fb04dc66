"""From the stock encoder to samserve's own graph: the same weights, fewer steps."""

from collections.abc import Callable
from pathlib import Path

from server.errors import ModelUnusable
from server.graphs.emit import Emitter, OnnxGraph, Shape
from server.graphs.tinyvit.attention import attend
from server.graphs.tinyvit.convolutional import PIXELS, convolutional
from server.graphs.tinyvit.layers import Layers
from server.graphs.tinyvit.weights import TinyViT, read_tinyvit
from server.graphs.weights import Floats

Linear = tuple[Floats, Floats]  # (in, out), (out,)
Mlp = Callable[[Layers, str, Linear, Linear], str]
VERSION = "2"  # goes up whenever the same stock encoder would become another graph


def build_encoder(stock: Path, int8: bool) -> OnnxGraph | None:
    """The encoder at `stock` written anew, exactly or with products in 8 bits; None where it is no TinyViT.

    Raises:
        ModelUnusable: it is no graph, or a TinyViT that MobileSAM did not export.
    """
    weights = read_tinyvit(stock)
    if weights is None:
        return None
    try:
        return _graph(weights, Layers(Emitter(), int8))
    except (KeyError, StopIteration, ValueError) as error:
        raise ModelUnusable(f"{stock.name} is no TinyViT as MobileSAM exports it: {error!r}") from error


def _graph(weights: TinyViT, layers: Layers) -> OnnxGraph:
    tokens, side = convolutional(layers, weights), weights.size // PIXELS
    for layer, blocks in weights.blocks.items():
        if layer > min(weights.blocks):
            tokens, side = _merged(layers, weights, f"layers.{layer - 1}/downsample", tokens, side)
        mlp = _fine_mlp if layer == max(weights.blocks) else _mlp
        for block in range(blocks):
            tokens = _block(layers, weights, f"layers.{layer}/blocks.{block}", tokens, side, mlp)
    embedding, channels = _neck(layers, weights, tokens, side)
    outputs = {"image_embeddings": (embedding, [1, channels, side, side])}
    inputs: dict[str, Shape] = {"image": [1, 3, weights.size, weights.size], "content": [2]}
    return layers.e.model(inputs, outputs)


def _merged(layers: Layers, weights: TinyViT, module: str, tokens: str, side: int) -> tuple[str, int]:
    """Tokens of more channels and perhaps fewer, and how many there are on a side.

    Never in 8 bits: it would save a hundredth of the time, and add a fifth to the embedding's error.
    """
    widen, gather, mix = (weights.convolution(f"{module}/conv{step}/c") for step in (1, 2, 3))
    wide = layers.e.do("Gelu", layers.multiply_exactly(tokens, *widen.product()))
    gathered = layers.rows(layers.convolve(layers.image(wide, side), gather), len(gather.bias))
    return layers.multiply_exactly(layers.e.do("Gelu", gathered), *mix.product()), side // gather.stride


def _block(layers: Layers, weights: TinyViT, module: str, tokens: str, side: int, mlp: Mlp) -> str:
    """Tokens after attention, a convolution of each channel, and an MLP."""
    e, local = layers.e, weights.convolution(f"{module}/local_conv/c")
    attended = e.do("Add", tokens, attend(layers, weights, f"{module}/attn", tokens, side))
    mixed = layers.rows(layers.convolve(layers.image(attended, side), local), len(local.bias))
    normed = layers.norm(mixed, weights.norm(f"{module}/mlp/norm"))
    return e.do("Add", mixed, mlp(layers, normed, *(weights.linear(f"{module}/mlp/fc{step}") for step in (1, 2))))


def _mlp(layers: Layers, rows: str, first: Linear, second: Linear) -> str:
    return layers.multiply(layers.e.do("Gelu", layers.multiply(rows, *first)), *second)


def _fine_mlp(layers: Layers, rows: str, first: Linear, second: Linear) -> str:
    """For the last layer, whose MLPs would make most of the error that rounding rows does; its tokens are not many."""
    hidden = layers.e.do("Gelu", layers.multiply_finely(rows, *first, zero=128))
    return layers.multiply_finely(hidden, *second, zero=32)  # a GELU gives -0.17 at least


def _neck(layers: Layers, weights: TinyViT, tokens: str, side: int) -> tuple[str, int]:
    """The embedding, and its channels; it is what masks are made of, so nothing here is in 8 bits."""
    narrow, smooth = (weights.convolution(f"neck/neck.{step}") for step in (0, 2))
    rows = layers.norm(layers.multiply_exactly(tokens, *narrow.product()), weights.norm("neck/neck.1"))
    rows = layers.rows(layers.convolve(layers.image(rows, side), smooth), len(smooth.bias))
    return layers.image(layers.norm(rows, weights.norm("neck/neck.3")), side), len(smooth.bias)
