"""Labels of smart tools that their answers would lose."""

from collections.abc import Sequence

from server.core.answer import answer_for
from server.core.labelconfig import ControlTag, LabelConfig
from server.core.options import AnswerOptions


def lost_labels(config: LabelConfig, image: str, prompting: Sequence[ControlTag]) -> str:
    """What to add so that no region of these tools of an image comes without its label; empty where none does.

    Raises:
        BadLabelConfig: nothing can answer one of them.
        BadOptions: nothing has the output that one forces.
    """
    lost: dict[str, list[str]] = {}
    for control in prompting:
        answering, _ = answer_for(config, image, control.name, AnswerOptions())
        kept, where = _kept(config, image, answering)
        absent = [label for label in control.labels if label not in kept]
        if absent:
            quoted = ", ".join(map(repr, absent))
            lost.setdefault(f"{where} lacks {quoted}", []).append(repr(control.name))
    told = [f"{what}, so answers to {' and '.join(tools)} come without that label" for what, tools in lost.items()]
    return "; ".join(told) + (": add a <Label value=.../> for each" if told else "")


def _kept(config: LabelConfig, image: str, answering: ControlTag) -> tuple[tuple[str, ...], str]:
    """The labels that an answer may have, and what holds them: the control, or a <Labels> beside one without."""
    if answering.kind.endswith("Labels"):
        return answering.labels, f"{answering.kind} {answering.name!r}"
    separate = [control for control in config.controls if control.kind == "Labels" and image in control.to_names]
    labels = tuple(label for control in separate for label in control.labels)
    return labels, f"a <Labels> for {image!r} beside {answering.kind} {answering.name!r}"
