"""Which control answers a gesture, under which options."""

from server.core.labelconfig import ControlTag, LabelConfig
from server.core.options import AnswerOptions
from server.errors import BadOptions


def answer_for(
    config: LabelConfig, object_name: str, prompted_by: str, options: AnswerOptions
) -> tuple[ControlTag, AnswerOptions]:
    """The answering control and its options, for what was drawn on an object with the control `prompted_by`.

    Attributes win over `options`: samOutput of the control that drew, every other one of the control that answers.

    Raises:
        BadLabelConfig: none of the object's controls can hold a mask.
        BadOptions: none of them has the output that is forced.
    """
    forced = _forced(config.control(prompted_by)) or options.output
    control = config.answer_control(object_name, prompted_by, forced)
    own = tuple((name, value) for name, value in control.options if name != "output")
    return control, options.overridden((*own, ("output", control.output or "")))


def check_options(config: LabelConfig | None, options: AnswerOptions, *, chooses: bool = True) -> None:
    """Finds, before the first click, the options that no click could ever get.

    Raises:
        BadOptions: an output is forced that the config has no control for, or a size is chosen where the decoder gives
            nothing to choose from (`chooses` is False).
    """
    controls = config.controls if config else ()
    chosen = {options.choose, *(value for control in controls for name, value in control.options if name == "choose")}
    if not chooses and chosen & {"smallest", "largest"}:
        raise BadOptions("choose is set, but the stock decoder gives one mask only; SAMSERVE_DECODER=fast gives more")
    if config:
        _check_outputs(config, options)


def _check_outputs(config: LabelConfig, options: AnswerOptions) -> None:
    for control in config.controls:
        if forced := _forced(control):
            for object_name in control.to_names:
                config.answer_control(object_name, control.name, forced)
    outputs = {control.output for control in config.controls} - {None}
    if outputs and options.output and options.output not in outputs:
        raise BadOptions(
            f"output is {options.output!r}, but the labeling config has no such control; "
            f"it has controls for {', '.join(sorted(filter(None, outputs)))}"
        )


def _forced(control: ControlTag) -> str | None:
    return next((str(value) for name, value in control.options if name == "output"), None)
