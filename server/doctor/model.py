"""Is the model here, and does it run where it should?"""

import asyncio
from collections.abc import Callable

from server.doctor.chart import Seen
from server.runtime.model import SamModel
from server.runtime.providers import AUTO, refusal


async def examine_model(load: Callable[[], SamModel]) -> Seen[SamModel]:
    """Loads the model; a GPU that is there and not used is worth a warning.

    Raises:
        ModelUnusable: its graphs are not here, or broken, or the provider does not run them.
    """
    model = await asyncio.to_thread(load)
    advice = refusal(AUTO, model.provider) or ""
    return Seen(model, f"{model.version} runs on {model.provider}", advice)
