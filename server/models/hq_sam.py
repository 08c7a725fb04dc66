"""HQ-SAM: Segment Anything with a mask of high quality, which its decoder has added to each of the four.

Follows `predictor.py` and `mask_decoder_hq.py` of SysCV/sam-hq with `hq_token_only` off. Features for that mask come
with the image embedding, so that the decoder needs nothing else of the encoder. Its graph returns all four masks.
"""

from server.core.embedding import ImageEmbedding
from server.core.geometry import ImageSize
from server.core.prompt import Prompt
from server.models import sam
from server.models.family import Tensors
from server.models.manifest import Preprocessing

STOCK_CHOOSES = False
encoder_inputs = sam.encoder_inputs
prediction = sam.prediction


def embedding(size: ImageSize, outputs: Tensors) -> ImageEmbedding:
    """The (1, D, grid, grid) image embedding and (1, D / 8, 4 * grid, 4 * grid) features."""
    return ImageEmbedding(size, {name: outputs[name] for name in ("image_embeddings", "hq_features")})


def decoder_inputs(embedding: ImageEmbedding, prompt: Prompt, how: Preprocessing) -> Tensors:
    """SAM's, but for the size that its graph alone asks for."""
    inputs = dict(sam.decoder_inputs(embedding, prompt, how))
    del inputs["orig_im_size"]
    return inputs
