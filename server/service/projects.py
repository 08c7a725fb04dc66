"""What was last seen of each project: its labeling config, which says which fields are images, and their login."""

from collections import OrderedDict

import structlog

from server.core.labelconfig import parse_label_config
from server.core.reference import ImageReference, Login
from server.core.task import Task, image_references
from server.errors import BadRequest

_LONGEST_CONFIG = 1 << 20  # characters, with the name of its project
_MOST = 64 << 20  # characters of all configs

log = structlog.get_logger("samserve.projects")


class Projects:
    """Remembers the most recently used configs: of `capacity` projects, within a bound of memory.

    Used from the event loop only.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._configs: OrderedDict[str, str] = OrderedDict()
        self._logins: dict[str, Login | None] = {}
        self._has_skipped = False

    def put(self, project: str, label_config: str | None) -> None:
        """From now on this is the project's config, if it is one.

        A login goes with the config that it was told with: anyone may tell a config that shows images of their own.
        """
        if not label_config or self._is_too_long(project, label_config):
            return
        if label_config == self._configs.get(project):
            self._configs.move_to_end(project)
            return
        self._configs.pop(project, None)
        self._logins.pop(project, None)
        self._configs[project] = label_config
        while len(self._configs) > self._capacity or sum(map(len, self._configs.values())) > _MOST:
            oldest, _ = self._configs.popitem(last=False)
            self._logins.pop(oldest, None)

    def put_login(self, project: str, login: Login | None) -> None:
        """From now on the project's images are behind this, if its config is known."""
        if project in self._configs:
            self._logins[project] = login

    def images(self, project: str, task: Task, *, with_login: bool = True) -> list[ImageReference]:
        """The images of a project's task, behind its login or not; none where its config is unknown or broken."""
        if project not in self._configs:
            return []
        self._configs.move_to_end(project)
        login = self._logins.get(project) if with_login else None
        try:
            return image_references(task, parse_label_config(self._configs[project]), login)
        except BadRequest as error:  # whoever clicks is told
            log.debug("no_images", project=project, task=task.id, reason=str(error))
            return []

    def _is_too_long(self, project: str, label_config: str) -> bool:
        if len(project) + len(label_config) <= _LONGEST_CONFIG:
            return False
        if not self._has_skipped:
            log.warning(
                "label_config_too_long",
                project=project,
                characters=len(label_config),
                reason="its images are not encoded in advance; of further ones it is not said",
            )
        self._has_skipped = True
        return True
