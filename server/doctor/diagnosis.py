"""The examination that a running server makes of itself."""

import asyncio
from contextlib import suppress

from server.doctor.chart import Chart, Finding, StepFailed
from server.doctor.click import examine_click
from server.doctor.image import ImageWay, examine_image
from server.doctor.studio import examine_studio
from server.errors import BadSettings
from server.studio.api import StudioApi


class Diagnosis:
    """Walks from Label Studio to one task's mask, with the running server's own model, images and token, and clicks.

    One task at a time: an examination encodes beside the clicks.
    """

    def __init__(self, api: StudioApi | None, way: ImageWay) -> None:
        self._api, self._way = api, way
        self._examining = asyncio.Lock()

    async def __call__(self, task: int) -> list[Finding]:
        """What each step found; the last one failed if there is anything wrong.

        Raises:
            BadSettings: the server has no Label Studio to ask.
        """
        if self._api is None:
            raise BadSettings("set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY, to ask Label Studio for the task")
        chart = Chart(lambda _: None)
        async with self._examining:
            with suppress(StepFailed):
                patient = await examine_studio(chart, self._api, None, task)
                size = await examine_image(chart, self._way, patient.reference, patient.config)
                await examine_click(chart, self._api, patient, size)
        return chart.findings

    async def close(self) -> None:
        """Ends all connections."""
        if self._api:
            await self._api.close()
