import numpy as np

from server.cache.memory import MemoryCache
from server.core.embedding import EmbeddingKey, ImageEmbedding
from server.core.geometry import ImageSize
from tests.unit.embeddings import key


def embedding(nbytes: int) -> ImageEmbedding:
    return ImageEmbedding(ImageSize(1, 1), {"a": np.zeros(nbytes - 1, np.uint8), "b": np.zeros(1, np.uint8)})


def filled(max_bytes: int, **sizes: int) -> MemoryCache:
    cache = MemoryCache(max_bytes)
    for name, nbytes in sizes.items():
        cache.put(key(name), embedding(nbytes))
    return cache


def held(cache: MemoryCache, names: str) -> str:
    return "".join(name for name in names if cache.get(key(name)) is not None)


def test_what_was_put_is_found_again() -> None:
    cache, kept = MemoryCache(100), embedding(40)
    cache.put(key("a"), kept)
    assert cache.get(key("a")) is kept
    assert cache.get(key("b")) is None
    assert cache.nbytes == 40


def test_keys_differ_by_image_encoder_and_preprocessing() -> None:
    cache = filled(100, a=40)
    assert cache.get(EmbeddingKey("a", "other", "preprocessing")) is None
    assert cache.get(EmbeddingKey("a", "encoder", "other")) is None


def test_embeddings_stay_while_they_just_fit() -> None:
    assert held(filled(100, a=40, b=60), "ab") == "ab"


def test_the_oldest_goes_when_one_more_does_not_fit() -> None:
    cache = filled(100, a=40, b=40, c=40)
    assert held(cache, "abc") == "bc"
    assert cache.nbytes == 80


def test_a_used_embedding_outlives_an_unused_one() -> None:
    cache = filled(100, a=40, b=40)
    cache.get(key("a"))
    cache.put(key("c"), embedding(40))
    assert held(cache, "abc") == "ac"


def test_as_many_go_as_the_new_one_needs() -> None:
    cache = filled(100, a=30, b=30, c=30, d=70)
    assert held(cache, "abcd") == "cd"
    assert cache.nbytes == 100


def test_an_embedding_put_again_is_counted_once_and_is_the_newest() -> None:
    cache = filled(100, a=40, b=40)
    cache.put(key("a"), embedding(50))
    assert cache.nbytes == 90
    cache.put(key("c"), embedding(20))
    assert held(cache, "abc") == "ac"


def test_an_embedding_larger_than_the_bound_is_not_kept() -> None:
    cache = filled(100, a=101)
    assert (cache.nbytes, held(cache, "a")) == (0, "")
    cache.put(key("b"), embedding(100))
    assert held(cache, "b") == "b"


def test_embeddings_cannot_be_changed_once_made() -> None:
    tensor = np.zeros(4, np.float32)
    ImageEmbedding(ImageSize(1, 1), {"a": tensor})
    assert not tensor.flags.writeable
