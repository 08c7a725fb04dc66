"""SAM 2's checkpoints become models that answer as sam2's own image predictor does."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sam2.sam2_image_predictor import SAM2ImagePredictor
from structlog.testing import capture_logs

from exporters.export import Request, export
from exporters.families.sam2 import exportable
from exporters.reference import TorchModel
from exporters.sam2.hiera import PUBLISHED
from server.app import load_model
from server.core.geometry import Box, ImageSize, Point
from server.core.prompt import Prompt
from server.errors import ModelUnusable
from server.runtime.model import SamModel
from server.runtime.parity import example_picture
from server.settings import Settings
from server.weights.store import GraphStore
from tests.exporters.small_sam2 import SMALL, STAGES, WIDTH, sam2
from tests.overlap import overlap

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:FutureWarning")  # sam2 uses it

PICTURE = example_picture()
WIDE = np.ascontiguousarray(PICTURE[60:180])
CLICK, MORE = ((110, 75, True),), ((110, 75, True), (40, 40, True), (200, 100, False))
BOX = (60, 20, 160, 110)
PROMPTS = {"a click": (CLICK, None), "clicks": (MORE, None), "a box": ((), BOX), "a box and clicks": (MORE, BOX)}


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the small one had been."""
    monkeypatch.setitem(PUBLISHED, (WIDTH, STAGES), SMALL)


@pytest.fixture(scope="module")
def original() -> Any:
    return sam2()


@pytest.fixture
def served(original: Any, tmp_path: Path) -> SamModel:
    """Exported from a checkpoint file, passed by the gate, and loaded as the server does."""
    torch.save({"model": original.state_dict()}, tmp_path / "checkpoint.pt")
    request = Request("sam2", tmp_path / "checkpoint.pt", None, None, "fp32", 1)
    manifest, _ = export(request, GraphStore(tmp_path / "weights"), lambda _: None)
    with capture_logs() as logs:
        model = load_model(Settings(model=manifest.name, cache_dir=str(tmp_path), threads=1))
    assert [line["reason"] for line in logs if line["log_level"] == "warning"] == []
    return model


class Predictor:
    """sam2's own, for the small model: it knows published sizes only."""

    def __init__(self, model: Any, image: NDArray[np.uint8]) -> None:
        self._predictor = SAM2ImagePredictor(model)
        side = model.image_size
        self._predictor._bb_feat_sizes = [(side // stride, side // stride) for stride in (4, 8, 16)]
        self._predictor.set_image(image)

    def ask(
        self,
        clicks: tuple[tuple[int, int, bool], ...],
        box: tuple[int, int, int, int] | None,
        previous: NDArray[np.float32] | None = None,
    ) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Mask and logits: of a click the best of several, of more the one, as its examples have it."""
        several = len(clicks) == 1 and box is None
        masks, ious, logits = self._predictor.predict(
            point_coords=np.array([click[:2] for click in clicks]) if clicks else None,
            point_labels=np.array([int(click[2]) for click in clicks]) if clicks else None,
            box=None if box is None else np.array(box),
            mask_input=None if previous is None else previous[None],
            multimask_output=several,
        )
        best = int(ious.argmax())
        return masks[best].astype(np.bool_), logits[best]


def prompt(clicks: tuple[tuple[int, int, bool], ...], box: tuple[int, int, int, int] | None, **more: Any) -> Prompt:
    """The same for the server, on WIDE."""
    points = tuple(Point(x, y, positive=positive) for x, y, positive in clicks)
    return Prompt(ImageSize(*WIDE.shape[:2]), points, Box(*box) if box else None, choice="predicted", **more)


@pytest.mark.usefixtures("with_specks")
@pytest.mark.parametrize("kind", PROMPTS)
def test_the_halves_answer_as_sam2s_own_predictor(original: Any, kind: str) -> None:
    predictor, halves = Predictor(original, WIDE), TorchModel(exportable(original.state_dict()))
    embedding = halves.encode(WIDE)
    expected, logits = predictor.ask(*PROMPTS[kind])
    answered = halves.decode(embedding, prompt(*PROMPTS[kind]))
    assert 0.02 < expected.mean() < 0.98
    assert overlap(answered.mask, expected) >= 0.98
    expected, _ = predictor.ask(*PROMPTS[kind], logits)
    refined = halves.decode(embedding, prompt(*PROMPTS[kind], previous=answered.low_res_logits))
    assert overlap(refined.mask, expected) >= 0.98
    assert overlap(refined.mask, answered.mask) < 0.98  # so the logits counted


@pytest.mark.usefixtures("with_specks")
def test_what_was_exported_is_served(original: Any, served: SamModel) -> None:
    predictor, embedding = Predictor(original, WIDE), served.encode(WIDE)
    assert (served.decoder, served.chooses, served.version.rpartition("-")[0]) == ("fast", True, "sam2.1_hiera_small")
    assert {name: tensor.shape for name, tensor in embedding.tensors.items()} == {
        "image_embeddings": (1, 64, 16, 16),
        "high_res_feats_0": (1, 8, 64, 64),
        "high_res_feats_1": (1, 16, 32, 32),
    }
    for asked in PROMPTS.values():
        expected, logits = predictor.ask(*asked)
        answered = served.decode(embedding, prompt(*asked))
        assert overlap(answered.mask, expected) >= 0.98
        expected, _ = predictor.ask(*asked, logits)
        assert (
            overlap(served.decode(embedding, prompt(*asked, previous=answered.low_res_logits)).mask, expected) >= 0.98
        )


def test_sizes_are_told_apart_by_their_tensors(original: Any) -> None:
    state = original.state_dict()
    assert exportable(state).variant == "sam2.1_hiera_small"
    del state["no_obj_embed_spatial"]
    assert exportable(state).variant == "sam2_hiera_small"


def changed(state: Mapping[str, torch.Tensor]) -> Iterator[tuple[dict[str, torch.Tensor], str]]:
    """States that do not fit, and what is said."""
    wrong = "sam_mask_decoder.conv_s0.weight"
    yield {name: tensor for name, tensor in state.items() if name != wrong}, f"it lacks {wrong}"
    yield {**state, "memory": torch.zeros(1)}, "it has memory"
    yield {**state, wrong: torch.zeros(1, 1)}, rf"{wrong} has the shape \[1, 1\]"
    yield {**state, "image_encoder.trunk.pos_embed": torch.zeros(1, 8, 7, 7)}, "Hiera of 8 channels .* never published"
    yield {"mask_decoder.hf_token.weight": torch.zeros(1)}, "looks like one for --family hq_sam"


def test_what_does_not_fit_is_refused_with_the_reason(original: Any) -> None:
    for state, reason in changed(original.state_dict()):
        with pytest.raises(ModelUnusable, match=reason):
            exportable(state)


@pytest.mark.usefixtures("with_specks")
@pytest.mark.export_real
def test_a_full_size_hiera_tiny_is_exported_and_served(tmp_path: Path) -> None:
    tiny, stages = PUBLISHED[96, (1, 2, 7, 2)], (1, 2, 7, 2)
    original = sam2(tiny, 96, stages, 256)
    torch.save({"model": original.state_dict()}, tmp_path / "checkpoint.pt")
    request = Request("sam2", tmp_path / "checkpoint.pt", None, None, "fp32", 2)
    manifest, _ = export(request, GraphStore(tmp_path / "weights"), lambda _: None)
    model = load_model(Settings(model=manifest.name, cache_dir=str(tmp_path), threads=2))
    predictor, embedding = Predictor(original, WIDE), model.encode(WIDE)
    assert embedding.nbytes == 16 << 20
    for asked in PROMPTS.values():
        assert overlap(model.decode(embedding, prompt(*asked)).mask, predictor.ask(*asked)[0]) >= 0.98
