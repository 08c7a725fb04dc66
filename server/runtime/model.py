"""A model: its graphs, run the way its family says."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from pathlib import Path

from server.core.embedding import EmbeddingKey, Image, ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.prediction import MaskPrediction
from server.core.prompt import Prompt
from server.core.tier_counts import TierCounts
from server.models.manifest import Manifest
from server.models.registry import family
from server.runtime.decoders import Decoder, StockDecoder
from server.runtime.device_tensor import HOST
from server.runtime.encoder import Encoder, on_each
from server.runtime.encoders import Encoders
from server.runtime.gpu import Gpu
from server.runtime.parity import check_parity, example_picture
from server.runtime.providers import AUTO, for_decoder
from server.runtime.recent import RecentAnswers
from server.runtime.session import ClickSession, Session
from server.stages import stage


class SamModel:
    """Encodes images and decodes prompts; any thread may call it, and no answer depends on those before.

    It starts with the stock graphs, each loaded when it is first needed; `warm_up` needs both.
    """

    def __init__(
        self, manifest: Manifest, folder: Path, threads: int, provider: str = AUTO, gpus: Sequence[Gpu] = (Gpu(),)
    ) -> None:
        self._family = family(manifest.family)
        self._how = manifest.preprocessing
        encoder, decoder = manifest.encoder, manifest.decoder
        encode = partial(Session, folder / encoder.file, encoder, threads, provider)
        decode = partial(ClickSession, folder / decoder.file, decoder, threads, for_decoder(provider), gpus[0])
        self._encoder = Encoder("stock", partial(on_each, encode, gpus), encoder.identity)
        self._decoder = RecentAnswers(StockDecoder(decode))
        self.title = manifest.title
        self._version = manifest.version

    @property
    def version(self) -> str:
        """Label Studio's `model_version`: it changes with whatever changes masks."""
        return f"{self._version}-int8" if self.encoder == "int8" else self._version

    @property
    def provider(self) -> str:
        """The execution provider that really runs the encoder."""
        return self._encoder.session.provider

    @property
    def encoder(self) -> str:
        """Which encoder is used: fast, int8 or stock."""
        return self._encoder.name

    @property
    def is_on_gpu(self) -> bool:
        """Whether the encoder runs on a GPU."""
        return self._encoder.session.device != HOST

    @property
    def encodes_at_once(self) -> int:
        """How many images are worth being under way: for each GPU a run's and the next's, and an urgent one."""
        return 2 * self._encoders.batch * len(self._encoders) + 1 if self.is_on_gpu else 1

    @property
    def nodes(self) -> Mapping[str, Mapping[str, int]]:
        """How many nodes of each of its graphs each execution provider really runs."""
        sessions = {"encoder": self._encoder.session, **self._decoder.sessions}
        return {name: session.nodes for name, session in sessions.items()}

    def tiers(self) -> list[TierCounts]:
        """How the GPU's memory has served, where what is derived of embeddings stays there."""
        return self._decoder.tiers()

    @property
    def decoder(self) -> str:
        """Which decoder is used: fast or stock."""
        return self._decoder.name

    @property
    def chooses(self) -> bool:
        """Whether its decoder gives several masks, so that a click can choose among them."""
        return self.decoder != "stock" or not self._family.STOCK_CHOOSES

    def key(self, image_sha256: str) -> EmbeddingKey:
        """The key of an image's embedding by this model."""
        return EmbeddingKey(image_sha256, self._encoder.identity, self._how.version)

    def encode(self, image: Image, is_urgent: Callable[[], bool] = lambda: True) -> ImageEmbedding:
        """The embedding of an (H, W, 3) uint8 RGB image; images that are not urgent wait for those that are.

        Args:
            is_urgent: asked, on another thread, each time that a GPU is free.
        """
        outputs = self._encoders.run(self._family.encoder_inputs(image, self._how), is_urgent)
        return self._family.embedding(ImageSize(*image.shape[:2]), outputs)

    def decode(self, embedding: ImageEmbedding, prompt: Prompt) -> MaskPrediction:
        """The mask that `prompt` asks for, in the prompt's frame."""
        with stage("decoder"):
            outputs = self._decoder.run(embedding, self._family.decoder_inputs(embedding, prompt, self._how))
        with stage("postprocess"):
            return self._family.prediction(outputs, embedding, prompt, self._how)

    def prepare(self, embedding: ImageEmbedding) -> None:
        """Computes what the first prompt on an image would have to wait for, some 10 ms."""
        self._decoder.prepare(embedding)

    def use(self, decoder: Decoder, *, is_verified: bool = False) -> None:
        """From now on decodes with `decoder`; for before the first request, and as good as `warm_up`.

        Unless it `is_verified`, it is tried first.

        Raises:
            ModelUnusable: it answers otherwise than the one before, which stays then.
        """
        other = copy(self)
        other._decoder = RecentAnswers(decoder)
        if is_verified:
            other.warm_up()
        else:
            embedding = self._encode_everywhere(example_picture())
            check_parity(partial(self.decode, embedding), partial(other.decode, embedding), "decoder", self._how)
        self._decoder = other._decoder

    def encode_with(self, encoder: Encoder, *, is_verified: bool = False) -> None:
        """From now on encodes with `encoder`; for before the first request. Unless it `is_verified`, it is tried first.

        Raises:
            ModelUnusable: masks are others than with the one before, which stays then.
        """
        other = copy(self)
        other._encoder = encoder
        if not is_verified:
            stock, rewritten = (partial(model.decode, model.encode(example_picture())) for model in (self, other))
            check_parity(stock, rewritten, "encoder", self._how, encoder.limits)
        self._encoder = encoder

    def warm_up(self) -> None:
        """Runs all graphs once, so that the first click pays for no first-run allocation.

        Raises:
            ModelUnusable: a stock graph is broken, or the provider does not run it.
        """
        embedding = self._encode_everywhere(example_picture())
        self.decode(embedding, Prompt(embedding.size, (Point(32, 32),)))

    @property
    def _encoders(self) -> Encoders:
        return self._encoder.encoders

    def _encode_everywhere(self, image: Image) -> ImageEmbedding:
        """As `encode`, once on every GPU."""
        outputs = self._encoders.run_everywhere(self._family.encoder_inputs(image, self._how))
        return self._family.embedding(ImageSize(*image.shape[:2]), outputs)
