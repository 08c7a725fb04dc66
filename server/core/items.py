"""What Label Studio sends of each drawn item: the types that `params.context.result` is decoded into."""

import msgspec


class DrawnValue(msgspec.Struct, frozen=True):
    """The `value` of one drawn item: all lengths in percent of the image, angles in degrees clockwise."""

    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    radius_x: float | None = msgspec.field(default=None, name="radiusX")
    radius_y: float | None = msgspec.field(default=None, name="radiusY")
    rotation: float = 0.0
    points: list[tuple[float, float]] | None = None
    rle: msgspec.Raw = msgspec.Raw()  # brush strokes can be megabytes, and are read only where they are used
    mask_data_url: str | None = msgspec.field(default=None, name="maskDataURL")
    image_data_url: str | None = msgspec.field(default=None, name="imageDataURL")
    labels: list[str] | None = None
    keypointlabels: list[str] | None = None
    rectanglelabels: list[str] | None = None
    ellipselabels: list[str] | None = None
    polygonlabels: list[str] | None = None
    brushlabels: list[str] | None = None
    bitmasklabels: list[str] | None = None


class DrawnItem(msgspec.Struct, frozen=True):
    """One item of `context.result`, as the editor serializes it."""

    from_name: str
    to_name: str
    original_width: int
    original_height: int
    value: DrawnValue
    id: str = ""
    is_positive: bool = True
    item_index: int | None = None
    image_rotation: float = 0.0


def labels_of(value: DrawnValue) -> tuple[str, ...]:
    """The labels of an item, whichever kind of control gave them."""
    kinds = (
        value.labels,
        value.keypointlabels,
        value.rectanglelabels,
        value.ellipselabels,
        value.polygonlabels,
        value.brushlabels,
        value.bitmasklabels,
    )
    return tuple(next((labels for labels in kinds if labels), ()))
