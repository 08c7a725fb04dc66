"""A labeling config: which controls and objects it has, and which control answers a prompt."""

from dataclasses import dataclass
from functools import lru_cache, partial
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from server.core.options import OUTPUTS, Overrides, parse_attributes
from server.errors import BadLabelConfig, BadOptions


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
    closable: bool = False
    options: Overrides = ()  # its sam... attributes
    smart: bool = True  # False where the config switches its smart tool off

    @property
    def output(self) -> str | None:
        """Which of OUTPUTS its regions are; None when they cannot hold a mask."""
        output = self.kind.removesuffix("Labels").lower()
        return output if output in OUTPUTS and (output != "vector" or self.closable) else None


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

    def answer_control(self, object_name: str, prompted_by: str, output: str | None = None) -> ControlTag:
        """The control that holds masks of that object: the first in the order of OUTPUTS, or of the `output` forced.

        The control that the prompt was drawn with, `prompted_by`, answers only when no other can.

        Raises:
            BadLabelConfig: none of the object's controls can hold a mask.
            BadOptions: none of them has the output that is forced.
        """
        able = [
            (tag.name == prompted_by, OUTPUTS.index(tag.output), position, tag)
            for position, tag in enumerate(self.controls)
            if object_name in tag.to_names and tag.output and output in (None, tag.output)
        ]
        if able:
            return min(able)[-1]
        add = partial(_add, object_name, self._labels(prompted_by))
        if output:
            raise BadOptions(f"output is {output!r}, but label_config has no such control: {add(output)}")
        raise BadLabelConfig(f"label_config has no control that can hold a mask of {object_name!r}: {add('bitmask')}")

    def _labels(self, control: str) -> tuple[str, ...]:
        return next((tag.labels for tag in self.controls if tag.name == control and tag.labels), ("Object",))


@lru_cache(maxsize=64)
def parse_label_config(xml: str) -> LabelConfig:
    """The tags of a labeling config; the same text is parsed once.

    Raises:
        BadLabelConfig: it is not well-formed XML, or declares entities.
        BadOptions: an attribute that starts with sam is no option, or has a value that it does not take.
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
        ControlTag(
            tag.tag,
            tag.attrib["name"],
            tuple(tag.attrib["toName"].replace(" ", "").split(",")),
            _labels(tag),
            tag.get("closable", "").lower() == "true",
            parse_attributes(tag.attrib, tag.attrib["name"]),
            tag.get("smart", "").lower() != "false",
        )
        for tag in root.iter()
        if "name" in tag.attrib and "toName" in tag.attrib
    ]


def _labels(control: ET.Element) -> tuple[str, ...]:
    labels = (label.get("alias") or label.get("value") for label in control.iter("Label"))
    return tuple(label for label in labels if label)


def _names(tags: tuple[ObjectTag, ...] | tuple[ControlTag, ...]) -> str:
    return ", ".join(repr(tag.name) for tag in tags) or "none"


def _add(object_name: str, labels: tuple[str, ...], output: str) -> str:
    closable = ' closable="true"' if output == "vector" else ""
    inside = "".join(f"<Label value={quoteattr(label)}/>" for label in labels)
    kind = f"{output.title()}Labels"
    return f'add <{kind} name="{output}" toName="{object_name}"{closable}>{inside}</{kind}>'
