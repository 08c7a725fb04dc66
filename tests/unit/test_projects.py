"""What is remembered of projects."""

import pytest
from structlog.testing import capture_logs

from server.core.reference import ImageReference, Login
from server.core.task import Task
from server.service.projects import Projects

CONFIG = '<View><Image name="image" value="$image"/></View>'
TASK = Task("7", {"image": "a.png"})
ANN = Login("ann", "pw")


def test_a_login_holds_until_another_config_is_told_without_one() -> None:
    projects = Projects(8)
    projects.put("1", CONFIG)
    projects.put_login("1", ANN)
    projects.put("1", CONFIG)
    assert projects.images("1", TASK) == [ImageReference("a.png", "7", ANN)]
    assert projects.images("1", TASK, with_login=False) == [ImageReference("a.png", "7")]
    projects.put("1", CONFIG + " ")
    assert projects.images("1", TASK) == [ImageReference("a.png", "7")]


def test_configs_are_forgotten_from_the_oldest_on_when_they_are_too_many_or_too_long_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.service.projects._MOST", 3 * len(CONFIG))
    projects = Projects(3)
    for project in ("1", "2", "3"):
        projects.put(project, CONFIG)
    projects.put("3", CONFIG + " ")
    assert [bool(projects.images(project, TASK)) for project in ("1", "2", "3")] == [False, True, True]
    for project in ("4", "5"):
        projects.put(project, "<View/>")
    assert [bool(projects.images(project, TASK)) for project in ("2", "3")] == [False, True]


def test_a_labeling_config_of_over_a_mebibyte_is_not_remembered_and_that_is_said_once() -> None:
    projects = Projects(8)
    with capture_logs() as logs:
        for project in ("1", "2"):
            projects.put(project, CONFIG + " " * (1 << 20))
            assert projects.images(project, TASK) == []
    assert [(line["event"], line["project"]) for line in logs] == [("label_config_too_long", "1")]
