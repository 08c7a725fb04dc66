"""Labels of smart tools that their answers would lose, told to people."""

from collections.abc import Sequence

from server.core.answer import answer_for
from server.core.labelconfig import ControlTag, LabelConfig
from server.core.options import AnswerOptions
from server.core.shortcomings import lost_labels


def label_advice(config: LabelConfig, image: str, prompting: Sequence[ControlTag]) -> str:
    """What to add so that no region of these tools of an image comes without its label; empty where none does.

    Raises:
        BadLabelConfig: nothing can answer one of them.
        BadOptions: nothing has the output that one forces.
    """
    lost: dict[str, list[str]] = {}
    for control in prompting:
        answering, _ = answer_for(config, image, control.name, AnswerOptions())
        if absent := lost_labels(control.labels, answering, config, image):
            quoted = ", ".join(map(repr, absent))
            lost.setdefault(f"{_keeper(answering, image)} lacks {quoted}", []).append(repr(control.name))
    told = [f"{what}, so answers to {' and '.join(tools)} come without that label" for what, tools in lost.items()]
    return "; ".join(told) + (": add a <Label value=.../> for each" if told else "")


def _keeper(answering: ControlTag, image: str) -> str:
    """What holds an answer's labels: the control, or a <Labels> beside one without."""
    of = f"{answering.kind} {answering.name!r}"
    return of if answering.kind.endswith("Labels") else f"a <Labels> for {image!r} beside {of}"
