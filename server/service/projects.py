"""What was last seen of each project: its labeling config, which says which fields are images, and their login."""

from collections import OrderedDict
from dataclasses import dataclass

import structlog

from server.core.labelconfig import parse_label_config
from server.core.reference import ImageReference, Login
from server.core.task import Task, image_references
from server.errors import BadRequest

_LONGEST_CONFIG = 1 << 20  # characters, with the name of its project
_MOST = 64 << 20  # characters of all configs

log = structlog.get_logger("samserve.projects")


@dataclass(frozen=True, slots=True)
class Told:
    """A project as one request tells it, or as it is remembered: a login goes with the config that it came with alone.

    Attributes:
        label_config: None where it is unknown.
    """

    project: str
    label_config: str | None
    login: Login | None = None

    def images(self, task: Task) -> list[ImageReference]:
        """The images of one of its tasks, behind its login; none where its config is unknown or broken."""
        if self.label_config is None:
            return []
        try:
            return image_references(task, parse_label_config(self.label_config), self.login)
        except BadRequest as error:  # whoever clicks is told
            log.debug("no_images", project=self.project, task=task.id, reason=str(error))
            return []


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

    def tell(self, project: str, label_config: str | None, login: Login | None) -> Told:
        """The project as a request tells it, for that request's own tasks; remembered for those of Label Studio's.

        Where it tells no config, the one that is remembered goes with no login.
        """
        if not label_config:
            return Told(project, self._configs.get(project))
        self.put(project, label_config)
        if self._configs.get(project) != label_config:  # too long
            return Told(project, None)
        self._logins[project] = login
        return Told(project, label_config, login)

    def known(self, project: str) -> Told:
        """The project as it was told last, for tasks that Label Studio itself says are in it."""
        if project not in self._configs:
            return Told(project, None)
        self._configs.move_to_end(project)
        return Told(project, self._configs[project], self._logins.get(project))

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
