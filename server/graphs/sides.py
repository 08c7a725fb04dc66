"""The image's side of an attention with tokens, in the order that never projects all pixels.

T tokens (about 7) meet N = 4096 pixels: scores are (q W') x' and answers (P x) W, so that only T rows per head pass
through a projection. Rows of tokens are (heads, T, d); scores and shares (heads, T, N). No bias is added here.
"""

from dataclasses import dataclass
from typing import Protocol

from server.graphs.algebra import heads_of_columns, unprojected
from server.graphs.emit import Emitter
from server.graphs.weights import HEADS, Floats


class ImageSide(Protocol):
    """What attentions need of the image; `weight` (D, heads * d) projects its pixels."""

    def scores(self, rows: str, weight: Floats) -> str:
        """Each row with each projected pixel."""
        ...

    def answers(self, shares: str, weight: Floats) -> str:
        """(heads, T, d): the projected pixels, in these shares."""
        ...


@dataclass(frozen=True)
class Pixels:
    """N image tokens of D channels as an earlier layer left them.

    Attributes:
        rows: (N, D).
        placed: (N, D), with the position encoding added.
        shape: (N, D) themselves.
    """

    e: Emitter
    rows: str
    placed: str
    shape: tuple[int, int]

    def scores(self, rows: str, weight: Floats) -> str:
        """The rows go back through the projection, then meet the pixels."""
        pixels, width = self.shape
        back = self.e.do("MatMul", rows, self.e.constant(unprojected(weight, HEADS)))  # (heads, T, D)
        scores = self.e.do("Gemm", together(self.e, back, width), self.placed, transB=1)
        return apart(self.e, scores, pixels)

    def answers(self, shares: str, weight: Floats) -> str:
        """The pixels are mixed, then their mixtures are projected."""
        pixels, width = self.shape
        mixed = self.e.do("MatMul", together(self.e, shares, pixels), self.rows)  # (heads * T, D)
        return self.e.do("MatMul", apart(self.e, mixed, width), self.e.constant(heads_of_columns(weight, HEADS)))


@dataclass(frozen=True)
class MaskTerm:
    """What a mask prompt adds to the image tokens, of rank R: basis' weight.

    Attributes:
        basis: (R, N).
        weight: (R, D).
    """

    basis: str
    weight: Floats


@dataclass(frozen=True)
class ImageAlone:
    """The image tokens as the encoder left them, which were projected with the image; a mask prompt adds its term.

    Attributes:
        projected: (heads, d, N), by the layer that scores are asked of.
        values: (heads, N, d), by the layer that answers are asked of; empty where none are.
        pixels: N.
    """

    e: Emitter
    mask: MaskTerm | None
    pixels: int
    projected: str
    values: str = ""

    def scores(self, rows: str, weight: Floats) -> str:
        """The mask's few rows are met the way that Pixels are."""
        scores = self.e.do("MatMul", rows, self.projected)
        if self.mask is None:
            return scores
        of_mask = unprojected(self.mask.weight @ weight, HEADS)  # (heads, d, R)
        back = together(self.e, self.e.do("MatMul", rows, self.e.constant(of_mask)), of_mask.shape[2])
        return self.e.do("Add", scores, apart(self.e, self.e.do("MatMul", back, self.mask.basis), self.pixels))

    def answers(self, shares: str, weight: Floats) -> str:
        """The mask's few rows are mixed the way that Pixels are."""
        answers = self.e.do("MatMul", shares, self.values)
        if self.mask is None:
            return answers
        of_mask = heads_of_columns(self.mask.weight @ weight, HEADS)  # (heads, R, d)
        mixed = self.e.do("Gemm", together(self.e, shares, self.pixels), self.mask.basis, transB=1)
        mixed = apart(self.e, mixed, of_mask.shape[1])
        return self.e.do("Add", answers, self.e.do("MatMul", mixed, self.e.constant(of_mask)))


def together(e: Emitter, rows: str, width: int) -> str:
    """(heads, T, width) -> (heads * T, width): as many rows as one product can take."""
    return e.do("Reshape", rows, e.integers(-1, width))


def apart(e: Emitter, rows: str, width: int) -> str:
    """(heads * T, width) -> (heads, T, width)."""
    return e.do("Reshape", rows, e.integers(HEADS, -1, width))
