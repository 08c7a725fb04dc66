"""The stock decoder cut in two, which benchmarks/decoder.py times, is the stock decoder still."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.split import SplitStock
from server.core.geometry import Box, Point
from server.core.prompt import Prompt
from server.models import sam
from server.runtime.decoders import StockDecoder
from server.runtime.model import SamModel
from server.runtime.parity import example_picture
from server.runtime.session import Session
from server.weights.store import find_manifest


@pytest.mark.weights
def test_cut_in_two_the_stock_decoder_gives_the_same_logits(graphs: Path, mobile_sam: SamModel, tmp_path: Path) -> None:
    manifest = find_manifest("mobile_sam", graphs.parent)
    stock = graphs / manifest.decoder.file
    whole = StockDecoder(lambda: Session(stock, manifest.decoder, 1))
    halves = SplitStock(stock, manifest.decoder.outputs, tmp_path, 1)
    embedding = mobile_sam.encode(example_picture())
    frame = embedding.size
    for prompt in (
        Prompt(frame, (Point(110, 75), Point(40, 40, positive=False))),
        Prompt(frame, box=Box(60, 40, 160, 120)),
    ):
        feed = sam.decoder_inputs(embedding, prompt, manifest.preprocessing)
        expected, answered = (
            decoder.run(embedding, feed)["low_res_masks"].astype(np.float32) for decoder in (whole, halves)
        )
        np.testing.assert_allclose(answered, expected, atol=1e-4)
