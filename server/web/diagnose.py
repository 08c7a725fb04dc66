"""GET /diagnose: why a task gets no mask, for those who have the password."""

from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import PermissionDeniedException
from litestar.params import FromQuery

from server.doctor.chart import Finding
from server.doctor.diagnosis import Diagnosis
from server.web.model_info import ModelInfo


@get("/diagnose")
async def diagnose(
    task: FromQuery[int], diagnosis: NamedDependency[Diagnosis], model: NamedDependency[ModelInfo]
) -> list[Finding]:
    """What each step from Label Studio to the task's mask finds; it tells of settings, hence the password.

    Raises:
        PermissionDeniedException: the server has none.
    """
    if not model.has_password:
        raise PermissionDeniedException(
            "/diagnose answers only where BASIC_AUTH_USER and BASIC_AUTH_PASS are set; "
            "or run samserve doctor on the server's machine"
        )
    return await diagnosis(task)
