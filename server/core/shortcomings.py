"""What a labeling config lacks for its smart tools, though it is valid."""

from collections.abc import Iterable, Iterator

from server.core.answer import answer_for
from server.core.labelconfig import ControlTag, LabelConfig
from server.core.options import AnswerOptions
from server.errors import BadLabelConfig, BadOptions

_SMART_TOOLS = ("KeyPoint", "Rectangle")  # the only ones whose drawings Label Studio sends


def shortcomings(config: LabelConfig, options: AnswerOptions) -> list[str]:
    """A sentence for each reason why clicks will fail, or lose their label; none where there are no smart tools."""
    tools = [tag for tag in config.controls if tag.smart and tag.kind.removesuffix("Labels") in _SMART_TOOLS]
    found = (said for tool in tools for name in tool.to_names for said in _shortcomings(config, tool, name, options))
    return list(dict.fromkeys(found))


def lost_labels(labels: Iterable[str], control: ControlTag, config: LabelConfig, object_name: str) -> list[str]:
    """Those labels that a region of `control` cannot have, neither by itself nor by a <Labels> beside it."""
    known = control.labels if control.kind.endswith("Labels") else _separate_labels(config, object_name)
    return [label for label in labels if label not in known]


def _shortcomings(config: LabelConfig, tool: ControlTag, object_name: str, options: AnswerOptions) -> Iterator[str]:
    every = f"every click of {tool.kind} {tool.name!r} will fail"
    if not any(tag.kind == "Image" and tag.name == object_name for tag in config.objects):
        yield f"{every}: label_config has no <Image> named {object_name!r}"
        return
    try:
        control, _ = answer_for(config, object_name, tool.name, options)
    except (BadLabelConfig, BadOptions) as error:
        yield f"{every}: {error}"
        return
    labels = tool.labels if tool.kind.endswith("Labels") else _separate_labels(config, object_name)
    if lost := lost_labels(labels, control, config, object_name):
        yield (
            f"{control.kind} {control.name!r} answers the clicks of {tool.kind} {tool.name!r}, but lacks the labels "
            f"{', '.join(map(repr, lost))}: regions come without them until they are added to it"
        )


def _separate_labels(config: LabelConfig, object_name: str) -> tuple[str, ...]:
    tags = [tag for tag in config.controls if tag.kind == "Labels" and object_name in tag.to_names]
    return tuple(label for tag in tags for label in tag.labels)
