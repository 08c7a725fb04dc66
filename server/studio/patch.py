"""A labeling config with what smart tools need; nothing that is in it is changed."""

from xml.sax.saxutils import quoteattr

from server.core.labelconfig import ControlTag, LabelConfig, ObjectTag, parse_label_config
from server.errors import BadLabelConfig

RECOMMENDED = """<View>
  <Image name="image" value="$image" zoom="true"/>
  <BitmaskLabels name="mask" toName="image"><Label value="Object"/></BitmaskLabels>
  <KeyPointLabels name="click" toName="image" smart="true"><Label value="Object"/></KeyPointLabels>
  <RectangleLabels name="box" toName="image" smart="true"><Label value="Object"/></RectangleLabels>
</View>
"""

_MASKS = ("brush", "bitmask", "polygon", "vector")


def completed(xml: str) -> str:
    """The labeling config, with tags added where it has no control for masks, no key point or no rectangle.

    They are for its first image, and have the labels of a control that is there. An empty config becomes RECOMMENDED.

    Raises:
        BadLabelConfig: it does not parse, or shows something, but no image.
    """
    config = parse_label_config(xml)
    if not config.objects and not config.controls:
        return RECOMMENDED
    image = next((tag for tag in config.objects if tag.kind == "Image"), None)
    if image is None:
        raise BadLabelConfig('the labeling config shows no image: add <Image name="image" value="$image"/>')
    missing = _missing(config, image)
    if not missing:
        return xml
    head, closing, tail = xml.rpartition("</")
    return "\n".join((head.rstrip(), *(f"  {tag}" for tag in missing), f"{closing}{tail}"))


def _missing(config: LabelConfig, image: ObjectTag) -> list[str]:
    own = [control for control in config.controls if image.name in control.to_names]
    labels = next((control.labels for control in own if control.labels), ("Object",))
    separate = any(control.kind == "Labels" for control in own)
    names = {tag.name for tag in config.objects} | {tag.name for tag in config.controls}
    wanted = {
        "Bitmask": not any(control.output in _MASKS for control in own),
        "KeyPoint": not _has_smart(own, "KeyPoint"),
        "Rectangle": not _has_smart(own, "Rectangle"),
    }
    return [_tag(kind, image.name, names, () if separate else labels) for kind, missing in wanted.items() if missing]


def _has_smart(controls: list[ControlTag], kind: str) -> bool:
    return any(control.smart and control.kind.removesuffix("Labels") == kind for control in controls)


def _tag(kind: str, image: str, names: set[str], labels: tuple[str, ...]) -> str:
    name = next(free for n in range(len(names) + 1) if (free := f"sam-{kind.lower()}{n or ''}") not in names)
    smart = "" if kind == "Bitmask" else ' smart="true"'
    attributes = f"name={quoteattr(name)} toName={quoteattr(image)}{smart}"
    if not labels:
        return f"<{kind} {attributes}/>"
    inside = "".join(f"<Label value={quoteattr(label)}/>" for label in labels)
    return f"<{kind}Labels {attributes}>{inside}</{kind}Labels>"
