"""The benchmark's own arithmetic, and its sanity check."""

import io
import json
import math
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.axis import decades, ticks
from benchmarks.backend import Answer, Backend, NotLocal, NotUp, parse_server_timing
from benchmarks.crowd import burst
from benchmarks.memory import Memory, excess
from benchmarks.messages import Task, click
from benchmarks.overlap import RIGHT, overlap
from benchmarks.picture import draw
from benchmarks.process import NotSeen, Usage, listening, usage
from benchmarks.record import record
from benchmarks.report import report
from benchmarks.samples import Burst, Results, Sample, mean_stages, paired, summarized
from benchmarks.scenes import draw_scene
from benchmarks.site import serving
from benchmarks.stand import Stand
from benchmarks.table import markdown_table, text_table
from benchmarks.targets import targets
from benchmarks.verdict import Batch, faults
from server.core.prediction import Mask
from server.core.rle import encode_rle
from tests import loopback

URL = "http://127.0.0.1:9090"


def sample(ms: float, status: int = 200, **more: Any) -> Sample:
    return Sample("click", URL, ms, 40.0, status, **more)


def answer(mask: Mask) -> Answer:
    height, width = mask.shape
    region = {"value": {"rle": encode_rle(mask).tolist()}, "original_width": width, "original_height": height}
    return Answer(1.0, 200, json.dumps({"results": [{"result": [region]}]}).encode())


@contextmanager
def answering(content: bytes, status: int = 200) -> Iterator[str]:
    """A backend's URL; whatever is posted there, the answer is this."""

    class Handler(loopback.Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer(status, content)

    with loopback.serving(Handler) as url:
        yield url


def test_clicks_that_failed_are_counted_and_not_timed() -> None:
    told = summarized("click", [sample(40), sample(60), sample(9, 500), sample(50)])
    assert (told.clicks, told.errors, told.p50, told.to_floor) == (4, 1, 50, 1.25)


def test_a_scenario_of_failures_alone_has_no_latency() -> None:
    told = summarized("click", [sample(9, 500)])
    assert told.errors == 1
    assert math.isnan(told.p50)


def test_a_rate_is_compared_with_what_the_floor_would_allow() -> None:
    told = summarized("click", [sample(80)], [Burst("click", URL, 20, 40.0)])
    assert (told.rate, told.rate_to_floor) == (20, 0.8)


def test_what_a_backend_does_not_tell_is_other() -> None:
    stages = mean_stages([sample(50, stages={"decoder": 40}), sample(70, stages={"decoder": 50, "fetch": 10})])
    assert stages == {"decoder": 45, "fetch": 5, "other": 10}


def test_a_pair_of_which_one_failed_is_no_pair() -> None:
    assert paired([sample(1), sample(2, 500), sample(3)], [sample(4), sample(5), sample(6)]) == [(1, 4), (3, 6)]


def test_a_mask_is_right_only_where_the_object_is() -> None:
    scene = draw_scene(160, 120, 0)
    assert overlap(answer(scene.mask(0)), scene.mask(0)) == 1
    assert overlap(answer(scene.mask(1)), scene.mask(0)) < RIGHT
    assert overlap(answer(np.ones_like(scene.mask(0))), scene.mask(0)) < RIGHT


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"results": []}', b'{"results": [{"result": [{"value": {"rle": [1, 2, 3]}}]}]}']
)
def test_what_holds_no_mask_is_wrong(content: bytes) -> None:
    assert overlap(Answer(1.0, 200, content), draw_scene(160, 120, 0).mask(0)) == 0
    assert sample(1, overlap=0.0).is_wrong


def test_a_mask_of_another_size_is_wrong() -> None:
    assert overlap(answer(draw_scene(120, 160, 0).mask(0)), draw_scene(160, 120, 0).mask(0)) == 0


def test_every_click_is_on_its_pebble_and_at_a_place_of_its_own() -> None:
    scene = draw_scene(320, 180, 3)
    places = [scene.place(number) for number in range(600)]
    for number, (x, y) in enumerate(places):
        assert scene.mask(number)[int(y * 1.8), int(x * 3.2)]
    assert len(set(places)) == len(places)


def test_a_fresh_file_is_the_same_picture_in_other_bytes() -> None:
    scene = draw_scene(160, 120, 0)
    one, other = scene.fresh(), scene.fresh()
    assert one != other
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(one))), np.asarray(Image.open(io.BytesIO(other))))


def test_a_click_names_its_place_and_its_image() -> None:
    scene = draw_scene(160, 120, 0)
    asked = json.loads(click(Task(7, "http://127.0.0.1/1.jpg", scene), 4))
    (item,) = asked["params"]["context"]["result"]
    assert (item["value"]["x"], item["value"]["y"]) == scene.place(4)
    assert (item["original_width"], item["original_height"]) == (160, 120)
    assert asked["tasks"][0]["data"] == {"image": "http://127.0.0.1/1.jpg"}


def test_server_timing_is_read_whatever_else_it_holds() -> None:
    assert parse_server_timing('fetch;desc="a b";dur=1.5, miss, decoder;dur=40') == {"fetch": 1.5, "decoder": 40}
    assert parse_server_timing("") == {}


@pytest.mark.parametrize("url", ["http://example.com:9090", "https://127.0.0.1", "http://10.0.0.1", "127.0.0.1:9090"])
def test_only_this_machine_is_put_under_load(url: str) -> None:
    with pytest.raises(NotLocal, match="only backends at"):
        Backend(url)


def test_a_backend_that_is_not_up_is_an_error_and_not_a_latency() -> None:
    port = loopback.free_port()
    backend = Backend(f"http://127.0.0.1:{port}/sam/")
    assert backend.post("/predict", b"{}").status == 0
    with pytest.raises(NotUp, match=f"{port}/sam/health"):
        backend.name()


def test_each_click_is_checked_and_has_a_run_of_the_floor_beside_it() -> None:
    scene = draw_scene(160, 120, 0)
    with serving() as site, answering(answer(scene.mask(0)).content) as url:
        stand = Stand([Backend(url)], site, lambda: 7.0)
        task = stand.task(scene)
        stand.click("on the first pebble", task)
        stand.click("on the second", task)
    right, wrong = stand.results.samples
    assert (right.status, right.floor_ms, right.is_wrong) == (200, 7, False)
    assert wrong.is_wrong
    assert right.ms > 0


def test_a_backend_that_cannot_fetch_pictures_stops_the_run_with_its_reason() -> None:
    with serving() as site, answering(b"host is not public", 400) as url:
        stand = Stand([Backend(url)], site, lambda: 7.0)
        with pytest.raises(NotUp, match="answers a click with 400: host is not public"):
            stand.try_out(stand.task(draw_scene(160, 120, 0)))


def test_a_crowd_is_counted_and_checked() -> None:
    scene = draw_scene(160, 120, 0)
    with serving() as site, answering(b"too much", 503) as url:
        stand = Stand([Backend(url)], site, lambda: 7.0)
        burst(stand, stand.backends[0], [stand.task(scene)] * 2, seconds=0.1)
    told = stand.results.summary("2 annotators", stand.backends[0].url)
    assert told.errors == told.clicks >= 2
    assert told.rate == 0


def test_tables_line_up() -> None:
    assert text_table(("ms", "p50"), [("warm click", "9.5"), ("x", "10.5")]) == (
        "ms           p50\nwarm click   9.5\nx           10.5"
    )
    assert markdown_table(("ms", "p50"), [("x", "1")]) == "| ms | p50 |\n| --- | ---: |\n| x | 1 |"


def test_axes_have_round_numbers() -> None:
    assert ticks(47) == [0, 10, 20, 30, 40, 50]
    assert ticks(0) == [0, 1]
    assert decades(42, 700) == [20, 50, 100, 200, 500, 1000]


def results(*samples: Sample) -> Results:
    made = Results()
    made.samples += samples
    return made


def test_a_target_that_was_not_measured_is_not_met() -> None:
    told = {target.name: target for target in targets(results(sample(1)), URL)}
    assert math.isnan(told["warm click over the floor, 2 MP"].measured)
    assert not told["warm click over the floor, 2 MP"].is_met


def test_a_target_is_met_by_the_ratio_to_the_floor_beside_it() -> None:
    slow = [Sample("warm click, 2 MP", URL, 50, 100), Sample("warm click, 2 MP", URL, 20, 40)]
    told = {target.name: target for target in targets(results(*slow), URL)}
    assert told["warm click over the floor, 2 MP"].is_met


def test_a_run_in_which_nothing_was_answered_is_reported_and_drawn() -> None:
    nothing, names = results(Sample("warm click, 2 MP", URL, 9, 40, 0)), {URL: "Peer 1", "http://127.0.0.1:1": "Peer 2"}
    assert "warm click, 2 MP" in report(nothing, names, markdown=True)
    assert json.loads(record(nothing, names, {}))["backends"][0]["scenarios"][0]["p50"] is None
    assert draw(nothing, names, "2 cores").size == (1640, 960)


def batches(mib: Sequence[float], ms: float = 40.0, beset_ms: float = 50.0, descriptors: int = 20) -> list[Batch]:
    return [
        Batch(number % 2 == 1, [sample(beset_ms if number % 2 else ms)], Usage(used, descriptors))
        for number, used in enumerate(mib)
    ]


def test_a_server_that_stays_as_it_was_has_no_faults() -> None:
    assert faults(batches([600, 640, 580, 600, 610] * 4), Usage(600, 22)) == []


@pytest.mark.parametrize(
    ("soaked", "settled", "fault"),
    [
        (batches([600 + 10 * number for number in range(20)]), Usage(600, 20), "memory grew by"),
        (batches([600] * 10), Usage(600, 60), "40 descriptors more stayed open"),
        (batches([600] * 10, beset_ms=200), Usage(600, 20), "clicks took 5.0 times as long"),
        ([*batches([600] * 10), Batch(True, [sample(1, 500)], Usage(600, 20))], Usage(600, 20), "1 of 11 clicks"),
        ([Batch(True, [sample(1, overlap=0.1)], Usage(600, 20))], Usage(600, 20), "1 of 1 masks"),
    ],
)
def test_a_soak_finds_what_goes_wrong(soaked: list[Batch], settled: Usage, fault: str) -> None:
    (found,) = faults(soaked, settled)
    assert found.startswith(fault)


@pytest.mark.parametrize(("used", "is_too_much"), [(900, False), (989, False), (991, True)])
def test_memory_may_grow_by_what_embeddings_take_and_a_tenth(used: float, is_too_much: bool) -> None:
    assert bool(excess(Memory(used=0, held=0), Memory(used, held=900))) is is_too_much


def test_memory_that_grows_while_embeddings_are_dropped_is_too_much() -> None:
    assert excess(Memory(used=1000, held=400), Memory(used=1041, held=400)) == [
        "memory grew by 41 MiB, and 40 MiB are allowed"
    ]


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="needs Linux's /proc")  # noqa: PTH110
def test_a_server_is_found_by_its_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listening(port) == [os.getpid()]
        before = usage([os.getpid()])
        with socket.create_connection(("127.0.0.1", port)):
            assert usage([os.getpid()]).descriptors == before.descriptors + 1
    with pytest.raises(NotSeen, match="--pid"):
        listening(port)
