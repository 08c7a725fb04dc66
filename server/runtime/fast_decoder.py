"""Which of the fast decoders runs the graphs that were built here."""

from dataclasses import replace
from pathlib import Path

from server.models.decoder_graphs import DecoderGraphs
from server.models.manifest import Preprocessing
from server.runtime.decoders import Decoder, SplitDecoder
from server.runtime.gpu import Gpu
from server.runtime.gpu_decoder import GpuDecoder
from server.runtime.providers import for_decoder
from server.runtime.session import Session


def fast_decoder(
    graphs: DecoderGraphs, folder: Path, how: Preprocessing, threads: int, provider: str, gpu: Gpu
) -> Decoder:
    """The decoder on a GPU where the click graphs are padded, else the one that runs anywhere.

    Raises:
        ModelUnusable: the graphs cannot be loaded.
        DeviceFull: the GPU has no room for it.
    """
    if not graphs.padded:
        return SplitDecoder(graphs, folder, how, threads, provider)
    wanted, captured = for_decoder(provider), replace(gpu, captured=True)
    image, click, click_with_mask = (
        Session(folder / graph.file, graph, threads, wanted, how)
        for graph, how in zip(graphs.graphs, (gpu, captured, captured), strict=True)
    )
    return GpuDecoder(image, click, click_with_mask, gpu.cache_bytes)
