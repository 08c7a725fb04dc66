"""Has a model use the graphs that were built here, once they answer as the stock ones do; else the stock ones stay."""

from collections.abc import Callable

import structlog

from server import __version__
from server.engine import gpus
from server.errors import ModelUnusable
from server.graphs.tinyvit.build import VERSION
from server.models.encoder_graphs import rounded_identity
from server.models.manifest import Graph, Manifest
from server.runtime.encoder import Encoder
from server.runtime.fast_decoder import fast_decoder
from server.runtime.memory import DeviceFull
from server.runtime.model import SamModel
from server.runtime.parity import EXACT, ROUNDED
from server.runtime.providers import CPU, refusal
from server.runtime.session import Session
from server.runtime.surroundings import surroundings
from server.settings import Settings
from server.weights.built import built_decoder, built_encoder, is_buildable
from server.weights.store import GraphStore
from server.weights.verified import Verified

log = structlog.get_logger("samserve.app")


def speed_up_decoder(model: SamModel, manifest: Manifest, store: GraphStore, settings: Settings) -> bool:
    """Has the model use the decoder graphs built here, if the settings ask for them and there are any for its family.

    Where that fails a warning says why; gives whether the model is warm.
    """
    if settings.decoder == "stock" or not is_buildable(manifest):
        return False
    on_gpu, on_cpu = model.is_on_gpu, model.provider == CPU  # outside: an encoder that cannot run stops the start
    try:
        folder, graphs = built_decoder(manifest, store, padded=on_gpu)
        decoder = fast_decoder(
            graphs, folder, manifest.preprocessing, settings.cores, settings.provider, gpus(settings)[0]
        )
        facts = _facts((*manifest.graphs, *graphs.graphs), model, settings)
        verified = Verified(folder / "verified.json") if on_cpu else None  # nothing here tells one GPU from another
        _try(lambda passed: model.use(decoder, is_verified=passed), verified, facts)
    except (ModelUnusable, DeviceFull, OSError) as error:
        log.warning(
            "fast_decoder_unusable",
            reason=str(error),
            instead="the stock decoder, which takes more than twice as long; SAMSERVE_DECODER=stock asks for it",
        )
        return False
    return True


def speed_up_encoder(model: SamModel, manifest: Manifest, store: GraphStore, settings: Settings) -> None:
    """Has the model use an encoder graph built here, if the settings ask for one and it is a TinyViT on the CPU.

    Where that fails a warning says why.
    """
    if settings.encoder == "stock":
        return
    on_cpu = refusal(settings.provider, CPU) is None or model.provider == CPU  # only a loaded graph tells on a GPU
    try:
        if not (on_cpu and _has_sped_up_encoder(model, manifest, store, settings)) and settings.encoder == "int8":
            _warn(settings, "only MobileSAM's encoder, a TinyViT, can be rounded, and only on the CPU")
    except (ModelUnusable, OSError) as error:
        _warn(settings, str(error))


def _warn(settings: Settings, reason: str) -> None:
    instead = "the stock encoder; SAMSERVE_ENCODER=stock asks for it"
    log.warning(f"{settings.encoder}_encoder_unusable", reason=reason, instead=instead)


def _has_sped_up_encoder(model: SamModel, manifest: Manifest, store: GraphStore, settings: Settings) -> bool:
    int8, stock = settings.encoder == "int8", manifest.encoder.identity
    found = built_encoder(manifest, store, int8=int8)
    if found is None:
        return False
    folder, graphs = found
    session = Session(folder / graphs.encoder.file, graphs.encoder, settings.cores, "cpu")
    identity, limits = (rounded_identity(stock, VERSION), ROUNDED) if int8 else (stock, EXACT)
    encoder = Encoder(settings.encoder, lambda: [session], identity, limits)
    facts = _facts((*manifest.graphs, *graphs.graphs), model, settings)
    _try(lambda passed: model.encode_with(encoder, is_verified=passed), Verified(folder / "verified.json"), facts)
    return True


def _facts(graphs: tuple[Graph, ...], model: SamModel, settings: Settings) -> list[str]:
    """All that the outcome of a trial depends on; the encoder counts too, as decoders are tried behind it."""
    hashes = [graph.sha256 for graph in graphs]
    return [*hashes, str(settings.cores), model.encoder, __version__, *surroundings()]


def _try(use: Callable[[bool], None], verified: Verified | None, facts: list[str]) -> None:
    """Uses graphs, telling whether they passed their trial here before, where that is known."""
    has_passed = verified is not None and verified.holds(facts)
    use(has_passed)
    if verified and not has_passed:
        verified.add(facts)
