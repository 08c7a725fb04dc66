"""The answer options of each project, as its connection to samserve last gave them."""

from collections import OrderedDict

from server.core.options import AnswerOptions


class ProjectOptions:
    """Remembers `capacity` projects, the most recently used ones; Label Studio repeats them whenever a task is opened.

    Used from the event loop only.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._options: OrderedDict[str, AnswerOptions] = OrderedDict()

    def put(self, project: str, options: AnswerOptions) -> None:
        """From now on these are the project's options."""
        self._options[project] = options
        self._options.move_to_end(project)
        while len(self._options) > self._capacity:
            self._options.popitem(last=False)

    def get(self, project: str) -> AnswerOptions:
        """The project's options; the default ones where it gave none."""
        if project not in self._options:
            return AnswerOptions()
        self._options.move_to_end(project)
        return self._options[project]
