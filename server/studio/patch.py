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

_IMAGE = """<View>
  <Image name="image" value="$image" zoom="true"/>
</View>
"""
_ATTRIBUTES = {"KeyPoint": ' smart="true"', "Rectangle": ' smart="true"', "Vector": ' closable="true"'}
_MASKS = ("brush", "bitmask", "polygon", "vector")


def completed(xml: str, output: str | None = None) -> str:
    """The labeling config, with tags added where it has no control for the answers, no key point or no rectangle.

    Answers are masks, or what the option `output` says. The tags are for its first image, and have the labels of a
    control that is there. An empty config becomes RECOMMENDED, or the like of it for that output.

    Raises:
        BadLabelConfig: it does not parse, or shows something, but no image.
    """
    config = parse_label_config(xml)
    if not config.objects and not config.controls:
        return RECOMMENDED if output in (None, "bitmask") else completed(_IMAGE, output)
    image = next((tag for tag in config.objects if tag.kind == "Image"), None)
    if image is None:
        raise BadLabelConfig('the labeling config shows no image: add <Image name="image" value="$image"/>')
    missing = _missing(config, image, output)
    if not missing:
        return xml
    head, closing, tail = xml.rpartition("</")
    return "\n".join((head.rstrip(), *(f"  {tag}" for tag in missing), f"{closing}{tail}"))


def lacking(xml: str, output: str | None = None) -> str:
    """What smart tools cannot do without and the labeling config does not have; empty where they work."""
    config = parse_label_config(xml)
    image = next((tag for tag in config.objects if tag.kind == "Image"), None)
    own = [control for control in config.controls if image and image.name in control.to_names]
    answers = {control.output for control in own} - {None}
    absent = {
        "an image": image is None,
        "a smart key point or rectangle tool": not (_has_smart(own, "KeyPoint") or _has_smart(own, "Rectangle")),
        f"a control for {output or 'mask'} answers": output not in answers if output else not answers,
    }
    return " and ".join(name for name, is_absent in absent.items() if is_absent)


def shapes_without_masks(xml: str) -> tuple[str, ...]:
    """Which outputs the first image's controls have, where none of them is for masks; () where one is."""
    config = parse_label_config(xml)
    image = next((tag for tag in config.objects if tag.kind == "Image"), None)
    own = [control.output for control in config.controls if image and image.name in control.to_names and control.output]
    return () if set(own) & set(_MASKS) else tuple(dict.fromkeys(own))


def _missing(config: LabelConfig, image: ObjectTag, output: str | None) -> list[str]:
    own = [control for control in config.controls if image.name in control.to_names]
    labels = next((control.labels for control in own if control.labels), ("Object",))
    separate = any(control.kind == "Labels" for control in own)
    names = {tag.name for tag in config.objects} | {tag.name for tag in config.controls}
    wanted = {
        (output or "bitmask").title(): not any(control.output in ((output,) if output else _MASKS) for control in own),
        "KeyPoint": not _has_smart(own, "KeyPoint"),
        "Rectangle": not _has_smart(own, "Rectangle"),
    }
    return [_tag(kind, image.name, names, () if separate else labels) for kind, missing in wanted.items() if missing]


def _has_smart(controls: list[ControlTag], kind: str) -> bool:
    return any(control.smart and control.kind.removesuffix("Labels") == kind for control in controls)


def _tag(kind: str, image: str, names: set[str], labels: tuple[str, ...]) -> str:
    name = next(free for n in range(len(names) + 1) if (free := f"sam-{kind.lower()}{n or ''}") not in names)
    attributes = f"name={quoteattr(name)} toName={quoteattr(image)}{_ATTRIBUTES.get(kind, '')}"
    if not labels:
        return f"<{kind} {attributes}/>"
    inside = "".join(f"<Label value={quoteattr(label)}/>" for label in labels)
    return f"<{kind}Labels {attributes}>{inside}</{kind}Labels>"
