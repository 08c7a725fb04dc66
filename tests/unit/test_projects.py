"""What is remembered of projects."""

import pytest
from structlog.testing import capture_logs

from server.core.reference import ImageReference, Login
from server.core.task import Task
from server.service.projects import Projects

CONFIG = '<View><Image name="image" value="$image"/></View>'
TASK = Task("7", {"image": "a.png"})
ANN = Login("ann", "pw")


def test_a_login_holds_until_the_project_is_told_without_it_or_with_another_config() -> None:
    projects = Projects(8)
    projects.tell("1", CONFIG, ANN)
    projects.put("1", CONFIG)
    assert projects.known("1").images(TASK) == [ImageReference("a.png", "7", ANN)]
    projects.put("1", CONFIG + " ")
    assert projects.known("1").images(TASK) == [ImageReference("a.png", "7")]
    projects.tell("1", CONFIG, ANN)
    projects.tell("1", CONFIG, None)
    assert projects.known("1").images(TASK) == [ImageReference("a.png", "7")]


def test_what_a_request_tells_is_its_own_whatever_others_tell_later() -> None:
    projects = Projects(8)
    with_login, without = projects.tell("1", CONFIG, ANN), projects.tell("1", CONFIG + " ", None)
    assert with_login.images(TASK) == [ImageReference("a.png", "7", ANN)]
    projects.tell("1", CONFIG, ANN)
    assert without.images(TASK) == [ImageReference("a.png", "7")]


def test_a_request_that_tells_no_config_does_not_get_the_login_nor_puts_its_own_to_a_config_of_others() -> None:
    projects = Projects(8)
    projects.tell("1", CONFIG, ANN)
    assert projects.tell("1", None, None).images(TASK) == [ImageReference("a.png", "7")]
    assert projects.tell("1", None, Login("bob", "pw")).images(TASK) == [ImageReference("a.png", "7")]
    assert projects.known("1").images(TASK) == [ImageReference("a.png", "7", ANN)]


def test_configs_are_forgotten_from_the_oldest_on_when_they_are_too_many_or_too_long_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("server.service.projects._MOST", 3 * len(CONFIG))
    projects = Projects(3)
    for project in ("1", "2", "3"):
        projects.put(project, CONFIG)
    projects.put("3", CONFIG + " ")
    assert [bool(projects.known(project).images(TASK)) for project in ("1", "2", "3")] == [False, True, True]
    for project in ("4", "5"):
        projects.put(project, "<View/>")
    assert [bool(projects.known(project).images(TASK)) for project in ("2", "3")] == [False, True]


def test_a_labeling_config_of_over_a_mebibyte_is_not_remembered_and_that_is_said_once() -> None:
    projects = Projects(8)
    with capture_logs() as logs:
        for project in ("1", "2"):
            assert projects.tell(project, CONFIG + " " * (1 << 20), ANN).images(TASK) == []
            assert projects.known(project).images(TASK) == []
    assert [(line["event"], line["project"]) for line in logs] == [("label_config_too_long", "1")]
