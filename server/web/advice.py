"""Warnings of what a labeling config lacks, each logged once: Label Studio repeats its config with every request."""

import structlog

from server.core.labelconfig import ControlTag, LabelConfig
from server.core.options import AnswerOptions
from server.core.shortcomings import lost_labels, shortcomings

_MOST = 10_000  # warnings remembered

log = structlog.get_logger("samserve.advice")


class Advice:
    """Warns once for each project and thing; used from the event loop only."""

    def __init__(self) -> None:
        self._told: set[int] = set()

    def on_config(self, project: str, config: LabelConfig, options: AnswerOptions) -> None:
        """Warns of what will keep the config's smart tools from working."""
        for reason in shortcomings(config, options):
            if self._first((project, reason)):
                log.warning("label_config", project=project, reason=reason)

    def on_labels(
        self, project: str, labels: tuple[str, ...], control: ControlTag, config: LabelConfig, object_name: str
    ) -> None:
        """Warns of those of a prompt's labels that its regions cannot have."""
        lost = [
            label
            for label in lost_labels(labels, control, config, object_name)
            if self._first((project, control.name, label))
        ]
        if lost:
            log.warning(
                "label_left_out",
                project=project,
                control=control.name,
                labels=lost,
                reason=f"{control.kind} {control.name!r} has no such label: add it there in the labeling config",
            )

    def _first(self, thing: tuple[str, ...]) -> bool:
        told = hash(thing)  # not the thing: a label may be of any length
        if told in self._told:
            return False
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told.add(told)
        return True
