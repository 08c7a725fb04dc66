import pytest

from server.core.guess import guessed_references
from server.core.image_formats import IMAGE_SUFFIXES
from server.core.task import Task


@pytest.mark.parametrize(
    "value",
    [
        "data:image/png;base64,AAAA",
        "/data/upload/2/59ffb85e-cat",
        "upload/2/cat.bin",
        "/data/local-files/?d=cats/1.jpg",
        "https://example.com/a/b.JPEG?token=x#y",
        "s3://bucket/cat.webp",
        "photos/cat.tif",
    ],
)
def test_what_looks_like_an_image_is_one(value: str) -> None:
    task = Task("5", {"text": "a cat", "n": 7, "found": value, "more": [value, None], "none": None})
    assert [(found.value, found.task) for found in guessed_references(task)] == [(value, "5")]


@pytest.mark.parametrize("suffix", IMAGE_SUFFIXES)
def test_every_format_that_is_decoded_looks_like_an_image(suffix: str) -> None:
    value = f"https://example.com/cat{suffix.upper()}?x=1"
    assert [found.value for found in guessed_references(Task("5", {"found": value}))] == [value]


@pytest.mark.parametrize(
    "value",
    ["https://example.com/view?name=cat.jpg", "https://example.com/", "a photo: cat.jpg", "cat.jpg.txt", "", {}],
)
def test_what_does_not_is_none(value: object) -> None:
    assert guessed_references(Task("5", {"found": value})) == []
