"""Is the model here, and does it run where it should?"""

import asyncio
from collections.abc import Callable, Mapping

from server.doctor.chart import Seen
from server.runtime.gpu_versions import gpu_versions
from server.runtime.model import SamModel
from server.runtime.providers import AUTO, refusal


async def examine_model(load: Callable[[], SamModel]) -> Seen[SamModel]:
    """Loads the model; a GPU that is there and not used is worth a warning.

    Raises:
        ModelUnusable: its graphs are not here, or broken, or the provider does not run them.
    """
    model = await asyncio.to_thread(load)
    advice = refusal(AUTO, model.provider) or ""
    through = f"; {described(gpu_versions())} ({placement(model.nodes)})" if model.is_on_gpu else ""
    graphs = f"the {model.encoder} encoder and the {model.decoder} decoder"
    return Seen(model, f"{model.version} runs on {model.provider}, with {graphs}{through}", advice)


def placement(nodes: Mapping[str, Mapping[str, int]]) -> str:
    """What runs each graph: "encoder: 900 nodes on CUDA, 3 on CPU; ..."."""
    return "; ".join(
        f"{graph}: "
        + ", ".join(
            f"{count} {'nodes ' if position == 0 else ''}on {provider.removesuffix('ExecutionProvider')}"
            for position, (provider, count) in enumerate(sorted(counts.items(), key=lambda item: -item[1]))
        )
        for graph, counts in nodes.items()
    )


def described(versions: Mapping[str, str]) -> str:
    """Such as "driver 580.95, cuda 13.0"."""
    return ", ".join(f"{name.replace('_', ' ')} {version}" for name, version in versions.items())
