"""From the stock encoder to samserve's own graph: the same weights, fewer steps."""

from pathlib import Path

from server.errors import ModelUnusable
from server.graphs.emit import Emitter, OnnxGraph, Shape
from server.graphs.tinyvit.attention import attend
from server.graphs.tinyvit.convolutional import PIXELS, convolutional
from server.graphs.tinyvit.layers import Layers
from server.graphs.tinyvit.weights import TinyViT, read_tinyvit

Zeros = tuple[int | None, int | None]  # Layers.multiply's, of an MLP's two products
_ZEROS: Zeros = (128, 32)  # of the last layer, which would make most of the error; a GELU gives -0.17 at least
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
        zeros = _ZEROS if layer == max(weights.blocks) else (None, None)
        for block in range(blocks):
            tokens = _block(layers, weights, f"layers.{layer}/blocks.{block}", tokens, side, zeros)
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


def _block(layers: Layers, weights: TinyViT, module: str, tokens: str, side: int, zeros: Zeros) -> str:
    """Tokens after attention, a convolution of each channel, and an MLP, which rounds as `zeros` say."""
    e, local = layers.e, weights.convolution(f"{module}/local_conv/c")
    attended = e.do("Add", tokens, attend(layers, weights, f"{module}/attn", tokens, side))
    mixed = layers.rows(layers.convolve(layers.image(attended, side), local), len(local.bias))
    normed = layers.norm(mixed, weights.norm(f"{module}/mlp/norm"))
    hidden = e.do("Gelu", layers.multiply(normed, *weights.linear(f"{module}/mlp/fc1"), zeros[0]))
    return e.do("Add", mixed, layers.multiply(hidden, *weights.linear(f"{module}/mlp/fc2"), zeros[1]))


def _neck(layers: Layers, weights: TinyViT, tokens: str, side: int) -> tuple[str, int]:
    """The embedding, and its channels; it is what masks are made of, so nothing here is in 8 bits."""
    narrow, smooth = (weights.convolution(f"neck/neck.{step}") for step in (0, 2))
    rows = layers.norm(layers.multiply_exactly(tokens, *narrow.product()), weights.norm("neck/neck.1"))
    rows = layers.rows(layers.convolve(layers.image(rows, side), smooth), len(smooth.bias))
    return layers.image(layers.norm(rows, weights.norm("neck/neck.3")), side), len(smooth.bias)
