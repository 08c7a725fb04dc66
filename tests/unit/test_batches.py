"""Background images that a GPU encodes together, rehearsed with tiny graphs on the CPU."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import helper
from structlog.testing import capture_logs

from server.core.embedding import Image
from server.models.family import Tensors
from server.models.manifest import Graph
from server.runtime.encoders import Encoders
from server.runtime.model import SamModel
from server.runtime.providers import CUDA
from server.runtime.session import Session
from server.service.demand import Demand, Priority
from tests.graphs import INPUT_SIZE, tiny_model
from tests.held_session import HeldSession
from tests.waiting import eventually

CRAWL, CLICK = Demand(Priority.CRAWL), Demand(Priority.CLICK)


class Desk:
    """Encoders whose sessions are held up, and annotators and crawlers who ask them."""

    def __init__(self, folder: Path, graph: Graph, gpus: int = 1, room: int = 8) -> None:
        self.held = [HeldSession(folder / graph.file, graph, room) for _ in range(gpus)]
        self.encoders, self.threads = Encoders(self.held, batch=4), ThreadPoolExecutor(16)
        self.asked, self.alone = 0, Session(folder / graph.file, graph, threads=1)

    def ask(self, number: int, demand: Demand = CRAWL) -> Future[Tensors]:
        """Asks for the picture with a number; returns once it runs or waits."""
        return self.ask_for(picture(number), demand)

    def ask_for(self, image: Tensors, demand: Demand = CRAWL) -> Future[Tensors]:
        self.asked += 1
        asked = self.threads.submit(self.encoders.run, image, demand.is_urgent)
        run = min(self.asked, len(self.held))
        assert eventually(lambda: [len(self.encoders._waiting), self._run] == [self.asked - run, run])
        return asked

    def finish(self, asked: Sequence[Future[Tensors]]) -> list[list[int]]:
        """Lets the sessions run, sees that the pictures 0, 1, ... have the answers they have alone; gives the runs."""
        self.go()
        for number, each in enumerate(asked):
            found, expected = each.result(20)["image_embeddings"], self.alone.run(picture(number))["image_embeddings"]
            assert np.allclose(found, expected, atol=1e-6)
        return [session.runs for session in self.held]

    def go(self) -> None:
        for session in self.held:
            session.go.set()

    @property
    def _run(self) -> int:
        return sum(len(session.runs) for session in self.held)


def picture(number: int) -> Tensors:
    rng = np.random.default_rng(number)
    return {"image": rng.uniform(0, 1, (1, 3, INPUT_SIZE, INPUT_SIZE)).astype(np.float32)}


def corner(number: int) -> float:
    """What tells a picture from others."""
    return float(picture(number)["image"][0, 0, 0, 0])


def batching(folder: Path) -> Graph:
    return tiny_model(folder, images="images").encoder


def test_images_that_nobody_waits_for_are_encoded_together_and_each_has_its_own_embedding(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batching(tmp_path))
    assert desk.finish([desk.ask(number) for number in range(9)]) == [[1, 4, 4]]


def test_what_is_kept_of_one_image_keeps_nothing_of_the_others(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batching(tmp_path))
    asked = [desk.ask(number) for number in range(5)]
    assert desk.finish(asked) == [[1, 4]]
    for each in asked[1:]:
        tensor = each.result()["image_embeddings"]
        assert tensor.base is None
        assert len(tensor) == 1


def test_fewer_than_a_batch_are_encoded_one_by_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batching(tmp_path))
    assert desk.finish([desk.ask(number) for number in range(8)]) == [[1, 4, 1, 1, 1]]


@pytest.mark.parametrize("priority", [Priority.CLICK, Priority.OPENED])
def test_an_image_that_is_waited_for_overtakes_a_batch_and_goes_alone(tmp_path: Path, priority: Priority) -> None:
    desk = Desk(tmp_path, batching(tmp_path))
    asked = [desk.ask(number) for number in range(5)] + [desk.ask(5, Demand(priority))]
    assert desk.finish(asked) == [[1, 1, 4]]
    assert desk.held[0].corners[1] == corner(5)


def test_an_image_that_is_clicked_on_while_it_waits_leaves_the_batch(tmp_path: Path) -> None:
    desk, crawled = Desk(tmp_path, batching(tmp_path)), Demand(Priority.CRAWL)
    asked = [*(desk.ask(number) for number in range(4)), desk.ask(4, crawled), desk.ask(5)]
    with crawled.joined_by(CLICK):
        assert desk.finish(asked) == [[1, 1, 4]]
    assert desk.held[0].corners[1] == corner(4)


def test_several_gpus_share_in_batches_what_waits(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batching(tmp_path), gpus=2)
    one, other = desk.finish([desk.ask(number) for number in range(10)])
    assert (one[0], other[0]) == (1, 1)
    assert sorted(one + other) == [1, 1, 4, 4]


def test_where_a_batch_has_no_room_images_are_encoded_one_by_one_from_then_on_and_one_warning_says_so(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, batching(tmp_path), room=1)
    with capture_logs() as logs:
        assert desk.finish([desk.ask(number) for number in range(9)]) == [[1, 4, *[1] * 8]]
    assert [(line["event"], line["log_level"]) for line in logs] == [("encodes_not_batched", "warning")]
    assert desk.encoders.batch == 1


def test_a_run_that_fails_fails_its_own_images_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batching(tmp_path))
    bad = {"image": np.zeros((1, 3, 1, 1), np.float32)}  # larger than what the graph averages over
    asked = [desk.ask(0), desk.ask_for(bad), desk.ask(1)]
    desk.go()
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        asked[1].result(20)
    assert desk.finish([asked[0], asked[2]])


def test_a_graph_that_names_no_number_of_images_has_no_batches(tmp_path: Path) -> None:
    desk = Desk(tmp_path, tiny_model(tmp_path).encoder)
    assert desk.encoders.batch == 1
    assert desk.finish([desk.ask(number) for number in range(6)]) == [[1] * 6]


def test_a_graph_that_gives_one_embedding_whatever_it_is_sent_has_no_batches(tmp_path: Path) -> None:
    graph = batching(tmp_path)
    append(tmp_path / graph.file, helper.make_node("ReduceMax", ["own"], ["embedding"], axes=[0], keepdims=1))
    assert Desk(tmp_path, graph).encoders.batch == 1


def test_a_graph_that_blends_images_has_no_batches_and_a_warning_says_so(tmp_path: Path) -> None:
    graph = batching(tmp_path)
    common = helper.make_node("ReduceMax", ["own"], ["common"], axes=[0], keepdims=1)
    append(tmp_path / graph.file, common, helper.make_node("Max", ["own", "common"], ["embedding"]))
    desk = Desk(tmp_path, graph)
    desk.go()
    with capture_logs() as logs:
        desk.encoders.run_everywhere(picture(0))
    assert [line["event"] for line in logs] == ["encodes_not_batched"]
    assert desk.encoders.batch == 1


def append(path: Path, *nodes: onnx.NodeProto) -> None:
    """Has nodes make "embedding" of the "own" embeddings that a graph gave."""
    model = onnx.load(str(path))
    model.graph.node[0].output[0] = "own"
    model.graph.node.extend(nodes)
    onnx.save(model, str(path))


def test_every_gpu_is_warmed_up_with_both_sizes_of_a_run(tmp_path: Path) -> None:
    desk = Desk(tmp_path, batching(tmp_path), gpus=2)
    desk.go()
    desk.encoders.run_everywhere(picture(0))
    assert desk.encoders.batch == 4
    for session in desk.held:
        assert set(session.runs) == {1, 4}


def photo(number: int) -> Image:
    return np.random.default_rng(number).integers(0, 256, (40, 64, 3), np.uint8)


def test_a_model_on_a_gpu_batches_and_one_on_a_cpu_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, run = list[int](), Session.run

    def noted(self: Session, tensors: Tensors) -> dict[str, NDArray[np.generic]]:
        sizes.extend(len(tensors[name]) for name in tensors if name == "image")
        return run(self, tensors)

    monkeypatch.setattr(Session, "run", noted)
    manifest = tiny_model(tmp_path, images="images")
    on_cpu = SamModel(manifest, tmp_path, threads=1)
    on_cpu.warm_up()
    assert (set(sizes), on_cpu.encodes_at_once) == ({1}, 1)
    monkeypatch.setattr(Session, "provider", CUDA)
    on_gpu = SamModel(manifest, tmp_path, threads=1)
    on_gpu.warm_up()
    assert (set(sizes), on_gpu.encodes_at_once) == ({1, 4}, 9)
    with ThreadPoolExecutor(8) as threads:
        embeddings = list(threads.map(lambda number: on_gpu.encode(photo(number), CRAWL.is_urgent), range(40)))
    for number, embedding in enumerate(embeddings):
        expected = on_cpu.encode(photo(number)).tensors["image_embeddings"]
        assert np.allclose(embedding.tensors["image_embeddings"], expected, atol=1e-6)


def test_tensorrt_encodes_image_by_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "provider", "TensorrtExecutionProvider")
    assert SamModel(tiny_model(tmp_path, images="images"), tmp_path, threads=1).encodes_at_once == 3
