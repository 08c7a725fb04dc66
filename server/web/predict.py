"""POST /predict: what was drawn on which image, and the regions that answer it."""

import asyncio
import time
from collections.abc import Sequence

import msgspec
import structlog

from server.core.answer import answer_for
from server.core.context import Gesture, gestures
from server.core.items import DrawnItem
from server.core.kinds import kinds
from server.core.label_twins import with_labels
from server.core.labelconfig import ControlTag, LabelConfig, parse_label_config
from server.core.options import AnswerOptions
from server.core.outcome import Outcome
from server.core.reference import ImageReference
from server.core.region import Region
from server.core.task import Task, image_value
from server.errors import BadLabelConfig, BadPrompt, BadTask, ImageError
from server.service.project_options import ProjectOptions
from server.service.segmenter import Segmenter
from server.service.task_events import TaskEvents
from server.stages import stage
from server.web.advice import Advice
from server.web.announced import Acknowledgement, Announced
from server.web.model_info import ModelInfo
from server.web.schemas import PredictRequest

_QUICK = {"click", "negative", "box"}  # whatever else is drawn is filled in, as large as the image

log = structlog.get_logger("samserve.predict")


class Prediction(msgspec.Struct, frozen=True):
    """What Label Studio takes as one prediction."""

    model_version: str
    score: float
    result: list[Region] | list[Acknowledgement]


class PredictAnswer(msgspec.Struct, frozen=True):
    """The answer to /predict. Label Studio reads an empty `results` as "nothing to predict"."""

    results: list[Prediction]


class Predict:
    """Answers /predict."""

    def __init__(
        self,
        segmenter: Segmenter,
        options: ProjectOptions,
        advice: Advice,
        events: TaskEvents,
        model: ModelInfo,
        max_pixels: int,
    ) -> None:
        self._segmenter, self._options, self._advice, self._events = segmenter, options, advice, events
        self._announced, self._model_version, self._max_pixels = Announced(events, model), model.version, max_pixels

    async def __call__(self, request: PredictRequest) -> PredictAnswer:
        """The regions for what was drawn; nothing when no smart tool was used."""
        if request.event:
            acknowledged = await self._announced.answer(request)
            if acknowledged:
                return PredictAnswer([Prediction(self._model_version, 0.0, [acknowledged])])
        if not request.tasks:
            raise BadTask("tasks is empty; expected one task")
        told = self._events.told(request.project_id, request.label_config, request.login)
        drawn = request.drawn
        if drawn is None:
            self._events.opened(told, [task.told for task in request.tasks])
            return PredictAnswer([])
        if len(request.tasks) > 1:
            raise BadTask(f"a smart tool works on one task, but {len(request.tasks)} were sent")
        task = request.tasks[0].told
        regions = await self._regions(request, task, drawn) if drawn else []
        if drawn:
            self._events.clicked(told, task)
        score = max((region.score for region in regions), default=0.0)
        return PredictAnswer([Prediction(self._model_version, score, regions)])

    async def _regions(self, request: PredictRequest, task: Task, drawn: list[DrawnItem]) -> list[Region]:
        started = time.perf_counter()
        with stage("parse"):
            self._check_frames(drawn)
            config = parse_label_config(request.label_config or "")
            _check_names(drawn, config)
            quick = kinds(drawn).keys() <= _QUICK
            asked = gestures(drawn) if quick else await asyncio.to_thread(gestures, drawn)
        if not asked:
            _tell(task, drawn, [Outcome(nothing="all that was painted was erased again")], started)
            return []
        given = self._options.get(str(request.project))
        control, options = answer_for(config, asked[0].to_name, _prompting_control(drawn, config), given)
        outcomes = await self._outcomes(request, task, config, asked, (control, options))
        _tell(task, drawn, outcomes, started)
        answer: list[Region] = []
        for gesture, outcome in zip(asked, outcomes, strict=True):
            self._advice.on_labels(request.project_id, gesture.labels, control, config, gesture.to_name)
            answer += with_labels(outcome.regions, control, config, gesture.labels)
        return answer

    async def _outcomes(
        self,
        request: PredictRequest,
        task: Task,
        config: LabelConfig,
        asked: Sequence[Gesture],
        answer: tuple[ControlTag, AnswerOptions],
    ) -> list[Outcome]:
        value = image_value(task.data, config.object(asked[0].to_name), asked[0].item_index)
        try:
            return await self._segmenter.segment(ImageReference(value, task.id, request.login), asked, *answer)
        except ImageError as error:
            raise error.of_task(task.id) from error

    def _check_frames(self, drawn: list[DrawnItem]) -> None:
        for item in drawn:
            if item.original_width * item.original_height > self._max_pixels:
                raise BadPrompt(
                    f"item {item.id!r}: an original size of {item.original_width} x {item.original_height} px is over "
                    f"{self._max_pixels / 1e6:g} megapixels; to allow it, raise SAMSERVE_MAX_MEGAPIXELS"
                )


def _check_names(drawn: list[DrawnItem], config: LabelConfig) -> None:
    for item in drawn:
        control = config.control(item.from_name)
        if item.to_name not in control.to_names:
            raise BadLabelConfig(f"label_config: control {item.from_name!r} does not belong to {item.to_name!r}")


def _prompting_control(drawn: list[DrawnItem], config: LabelConfig) -> str:
    """The control that drew the last item; a <Labels> beside it, whose item follows it, drew nothing."""
    names = [item.from_name for item in reversed(drawn) if item.to_name == drawn[-1].to_name]
    return next((name for name in names if config.control(name).kind != "Labels"), names[0])


def _tell(task: Task, drawn: list[DrawnItem], outcomes: Sequence[Outcome], started: float) -> None:
    """The one line that tells what came of a click."""
    scores = [round(region.score, 3) for outcome in outcomes for region in outcome.regions]
    reasons = dict.fromkeys(outcome.nothing for outcome in outcomes if outcome.nothing)
    log.info(
        "segmented" if scores else "nothing_to_segment",
        task=task.id,
        prompts=kinds(drawn),
        scores=scores,
        **({"reason": "; ".join(reasons)} if reasons else {}),
        ms=round((time.perf_counter() - started) * 1e3, 1),
    )
