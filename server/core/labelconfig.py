"""A labeling config: which controls and objects it has, and which control answers a prompt."""

from dataclasses import dataclass
from functools import lru_cache
from xml.etree import ElementTree as ET

from server.errors import BadLabelConfig


@dataclass(frozen=True, slots=True)
class ObjectTag:
    """A thing that is labelled, such as `<Image name="image" value="$image"/>`."""

    kind: str
    name: str
    value: str
    is_list: bool  # value comes from valueList: one object shows several images


@dataclass(frozen=True, slots=True)
class ControlTag:
    """A tool or a set of labels, such as `<BrushLabels name="brush" toName="image">`."""

    kind: str
    name: str
    to_names: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """All named tags of one config, in document order."""

    objects: tuple[ObjectTag, ...]
    controls: tuple[ControlTag, ...]

    def object(self, name: str) -> ObjectTag:
        """The object of that name.

        Raises:
            BadLabelConfig: there is none.
        """
        for tag in self.objects:
            if tag.name == name:
                return tag
        raise BadLabelConfig(f"label_config has no object named {name!r}; it has {_names(self.objects)}")

    def control(self, name: str) -> ControlTag:
        """The control of that name.

        Raises:
            BadLabelConfig: there is none.
        """
        for tag in self.controls:
            if tag.name == name:
                return tag
        raise BadLabelConfig(f"label_config has no control named {name!r}; it has {_names(self.controls)}")

    def answer_control(self, object_name: str) -> ControlTag:
        """The control that holds masks of that object.

        Raises:
            BadLabelConfig: none of the object's controls can.
        """
        for tag in self.controls:
            if tag.kind in ("BrushLabels", "Brush") and object_name in tag.to_names:
                return tag
        raise BadLabelConfig(
            f"label_config has no control that can hold a mask of {object_name!r}: "
            f'add <BrushLabels name="brush" toName="{object_name}">'
        )


@lru_cache(maxsize=64)
def parse_label_config(xml: str) -> LabelConfig:
    """The tags of a labeling config; the same text is parsed once.

    Raises:
        BadLabelConfig: it is not well-formed XML, or declares entities.
    """
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise BadLabelConfig("label_config must not declare a document type or entities")
    try:
        root = ET.fromstring(xml)  # noqa: S314 - no document type, so no entity to expand
    except (ET.ParseError, UnicodeError) as error:
        raise BadLabelConfig(f"label_config is not well-formed XML: {error}") from None
    return LabelConfig(tuple(_objects(root)), tuple(_controls(root)))


def _objects(root: ET.Element) -> list[ObjectTag]:
    return [
        ObjectTag(
            tag.tag, tag.attrib["name"], tag.get("valueList") or tag.get("value") or "", "valueList" in tag.attrib
        )
        for tag in root.iter()
        if "name" in tag.attrib and "toName" not in tag.attrib and ("value" in tag.attrib or "valueList" in tag.attrib)
    ]


def _controls(root: ET.Element) -> list[ControlTag]:
    return [
        ControlTag(tag.tag, tag.attrib["name"], tuple(tag.attrib["toName"].replace(" ", "").split(",")), _labels(tag))
        for tag in root.iter()
        if "name" in tag.attrib and "toName" in tag.attrib
    ]


def _labels(control: ET.Element) -> tuple[str, ...]:
    labels = (label.get("alias") or label.get("value") for label in control.iter("Label"))
    return tuple(label for label in labels if label)


def _names(tags: tuple[ObjectTag, ...] | tuple[ControlTag, ...]) -> str:
    return ", ".join(repr(tag.name) for tag in tags) or "none"
