"""What a decoder answered last, so that a prompt that comes again is not run again."""

from collections import OrderedDict
from threading import Lock
from weakref import ref

from server.core.embedding import ImageEmbedding
from server.models.family import Tensors
from server.runtime.decoders import Decoder

_CAPACITY = 32  # answers of at most 1 MiB

_Asked = tuple[ref[ImageEmbedding], bytes, bytes]


class RecentAnswers:
    """A decoder that remembers; not the answers to mask prompts, which do not come again.

    On a large image every click asks first how large its object is, which is the answer itself where the object is not
    small, and which the clicks that are added ask again.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._answers: OrderedDict[_Asked, Tensors] = OrderedDict()
        self._lock = Lock()

    @property
    def name(self) -> str:
        """The decoder's."""
        return self._decoder.name

    def run(self, embedding: ImageEmbedding, inputs: Tensors) -> Tensors:
        """What the decoder answers, or answered."""
        if inputs["has_mask_input"][0]:
            return self._decoder.run(embedding, inputs)
        asked = (ref(embedding), inputs["point_coords"].tobytes(), inputs["point_labels"].tobytes())
        with self._lock:
            known = self._answers.get(asked)
        answer = known or self._decoder.run(embedding, inputs)
        with self._lock:
            self._keep(asked, answer)
        return answer

    def prepare(self, embedding: ImageEmbedding) -> None:
        """As the decoder does."""
        self._decoder.prepare(embedding)

    def _keep(self, asked: _Asked, answer: Tensors) -> None:
        for gone in [key for key in self._answers if key[0]() is None]:
            del self._answers[gone]
        self._answers[asked] = answer
        self._answers.move_to_end(asked)
        if len(self._answers) > _CAPACITY:
            self._answers.popitem(last=False)
