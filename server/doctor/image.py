"""Does the task's image become a mask, and how long does each step take?"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from server.core.answer import answer_for
from server.core.context import Gesture
from server.core.embedding import Image, ImageEmbedding
from server.core.geometry import ImageSize, Point
from server.core.labelconfig import ControlTag, LabelConfig
from server.core.options import AnswerOptions
from server.core.prompt import Prompt
from server.core.reference import ImageReference
from server.core.region import regions
from server.doctor.chart import Chart, Seen
from server.images.url import redacted
from server.service.ports import ImageDecoder, ImageSource, Model

_BITMASK = ControlTag("Bitmask", "mask", ("image",), ())


@dataclass(frozen=True, slots=True)
class ImageWay:
    """What an image goes through on its way to a mask."""

    images: ImageSource
    decode_image: ImageDecoder
    model: Model


async def examine_image(
    chart: Chart, way: ImageWay, reference: ImageReference, config: LabelConfig | None
) -> ImageSize:
    """Fetches, decodes and encodes an image, clicks on its middle, and answers; gives the image's size.

    Raises:
        StepFailed: a step failed.
    """
    content = await chart.step("fetch", _fetch(way.images, reference))
    image = await chart.step("decode", _in_thread(lambda: _decode(way.decode_image, content)))
    embedding = await chart.step("encode", _in_thread(lambda: _encode(way.model, image)))
    await chart.step("mask", _in_thread(lambda: _mask(way.model, embedding, config)))
    size: ImageSize = embedding.size
    return size


async def _fetch(images: ImageSource, reference: ImageReference) -> Seen[bytes]:
    uri = images.locate(reference)
    content = await images.fetch(uri)
    return Seen(content, f"{len(content) / 1024:,.0f} KiB from {redacted(uri)[:80]}")


def _decode(decode_image: ImageDecoder, content: bytes) -> Seen[Image]:
    image = decode_image(content)
    height, width = image.shape[:2]
    return Seen(image, f"{width} x {height} px, upright and in colour")


def _encode(model: Model, image: Image) -> Seen[ImageEmbedding]:
    embedding = model.encode(image)
    return Seen(
        embedding, f"{embedding.nbytes / (1 << 20):.1f} MiB; a server makes it once for all clicks on this image"
    )


def _mask(model: Model, embedding: ImageEmbedding, config: LabelConfig | None) -> Seen[None]:
    size = embedding.size
    prediction = model.decode(embedding, Prompt(size, (Point(size.width / 2, size.height / 2),)))
    control, options = _answering(config)
    gesture = Gesture(Prompt(size, (Point(0, 0),)), "image", control.name)
    answer = msgspec.json.encode(regions(prediction, "r", gesture, control, options))
    share = prediction.mask.mean() * 100
    text = (
        f"a click on the middle covers {share:.1f} % of the image, score {prediction.iou_prediction:.2f}; "
        f"{len(answer) / 1024:,.0f} KiB as {control.kind}"
    )
    return Seen(None, text, _advice(control, size))


def _answering(config: LabelConfig | None) -> tuple[ControlTag, AnswerOptions]:
    image = next((tag for tag in config.objects if tag.kind == "Image"), None) if config else None
    if config is None or image is None:
        return _BITMASK, AnswerOptions()
    prompting = next((c.name for c in config.controls if image.name in c.to_names and not c.output), "")
    prompting = prompting or next(c.name for c in config.controls if image.name in c.to_names)
    return answer_for(config, image.name, prompting, AnswerOptions())


def _advice(control: ControlTag, size: ImageSize) -> str:
    if control.output == "brush" and size.pixels > 4_000_000:
        return "the editor takes over a second per brush region of such an image: BitmaskLabels are far quicker"
    return ""


async def _in_thread(work: Callable[[], Seen]) -> Seen:  # type: ignore[type-arg]
    return await asyncio.to_thread(work)
