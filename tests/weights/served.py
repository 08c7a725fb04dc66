"""The quality set's photographs by the code that serves them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from server.core.context import Gesture, gestures
from server.core.embedding import ImageEmbedding
from server.core.geometry import Box, Point
from server.core.items import DrawnItem
from server.core.look import Look
from server.core.prediction import Mask, MaskPrediction
from server.core.prompt import Choice, Prompt
from server.core.reference import ImageReference
from server.images.decode import decode_image
from server.runtime.model import SamModel
from server.service.refiner import Refiner
from tests.studio import click
from tests.weights.robot import Click, Object


@dataclass(frozen=True)
class Answer:
    """A mask, and what asked for it."""

    gesture: Gesture
    prediction: MaskPrediction
    region_id: str = "r1"


Ask = Callable[[Sequence[dict[str, Any]]], Answer]


class Served:
    """Encodes each photograph once, and decodes what is drawn on it."""

    def __init__(self, model: SamModel) -> None:
        self._model = model
        self._embeddings: dict[Path, ImageEmbedding] = {}

    def embedding(self, photo: Path) -> ImageEmbedding:
        if photo not in self._embeddings:
            self._embeddings[photo] = self._model.encode(decode_image(photo.read_bytes(), 10**9))
        return self._embeddings[photo]

    def annotator(self, thing: Object) -> Ask:
        """Answers the items that Label Studio sends, one context after the other, as one annotator's are."""
        refiner, embedding = Refiner(self._model, lambda: 0.0), self.embedding(thing.photo)
        look = Look(ImageReference(thing.photo.name, "1"), self._model.key(thing.photo.name), embedding, embedding)

        def ask(items: Sequence[dict[str, Any]]) -> Answer:
            (gesture,) = gestures(msgspec.json.decode(msgspec.json.encode(items), type=list[DrawnItem]))
            refined = refiner.decode(look, gesture)
            assert refined is not None
            return Answer(gesture, refined.prediction, refined.region_id)

        return ask

    def added_clicks(self, thing: Object) -> Callable[[Sequence[Click]], Mask]:
        """Answers clicks that are added one at a time, each time with all of them, as an annotator's are."""
        ask = self.annotator(thing)
        return lambda clicks: ask(key_points(thing, clicks)).prediction.mask

    def box(self, thing: Object) -> Mask:
        embedding = self.embedding(thing.photo)
        return self._model.decode(embedding, Prompt(embedding.size, box=Box(*thing.bbox))).mask

    def clicks(self, thing: Object, clicks: Sequence[Click], choice: Choice = "best") -> Mask:
        embedding = self.embedding(thing.photo)
        points = tuple(Point(x, y, positive) for x, y, positive in clicks)
        return self._model.decode(embedding, Prompt(embedding.size, points, choice=choice)).mask


def key_points(thing: Object, clicks: Sequence[Click]) -> list[dict[str, Any]]:
    """Clicks as items."""
    height, width = thing.mask.shape
    return [click(x, y, width, height, is_positive=positive) for x, y, positive in clicks]
