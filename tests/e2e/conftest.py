"""The servers, the browser and the projects that all scenarios share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import httpx
import pytest
from playwright.sync_api import Browser, StorageState

from tests.e2e import studio_server
from tests.e2e.api import Api, Project
from tests.e2e.browser import launched_chromium, open_window
from tests.e2e.configs import config
from tests.e2e.editor import Editor
from tests.e2e.pictures import scene
from tests.e2e.site import Site, serving

_WAITS = pytest.StashKey[list[float]]()

OpenEditor = Callable[..., Editor]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e2e")


@pytest.fixture(scope="session")
def pictures(folder: Path) -> Path:
    """A folder that Label Studio may serve as local storage."""
    made = folder / "pictures"
    made.mkdir()
    scene().save(made / "egg.png")
    return made


@pytest.fixture(scope="session")
def site(pictures: Path) -> Iterator[Site]:
    with serving(pictures) as site:
        yield site


@pytest.fixture(scope="session")
def studio(folder: Path, pictures: Path) -> Iterator[str]:
    with studio_server.label_studio(folder, pictures) as url:
        yield url


@pytest.fixture(scope="session")
def backend(studio: str, folder: Path) -> Iterator[str]:
    with studio_server.samserve(studio, folder) as url:
        yield url


@pytest.fixture(scope="session")
def api(studio: str) -> Iterator[Api]:
    with httpx.Client(base_url=studio, headers={"Authorization": f"Token {studio_server.TOKEN}"}, timeout=60) as http:
        yield Api(http)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with launched_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def login(browser: Browser, studio: str) -> StorageState:
    """The cookies of a user who is logged in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{studio}/user/login")
    page.locator("input[name=email]").fill(studio_server.USER)
    page.locator("input[name=password]").fill(studio_server.PASSWORD)
    page.locator("button[type=submit]").click()
    page.wait_for_url(lambda url: "login" not in url)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="session")
def project_for(api: Api, backend: str) -> Callable[[str], Project]:
    """Gives the project with a labeling config, connected to samserve; it is made at the first call."""
    made = dict[str, Project]()

    def project(labeling: str) -> Project:
        if labeling not in made:
            made[labeling] = api.create_project(f"Project {len(made) + 1}", labeling, backend)
        return made[labeling]

    return project


@pytest.fixture
def project(project_for: Callable[[str], Project]) -> Project:
    """A project with the recommended labeling config."""
    return project_for(config("Bitmask"))


@pytest.fixture
def task(api: Api, project: Project, pictures: Path) -> int:
    """A task with an uploaded picture of the egg."""
    return api.upload(project, pictures / "egg.png")


@pytest.fixture
def open_editor(
    browser: Browser, login: StorageState, studio: str, folder: Path, request: pytest.FixtureRequest
) -> Iterator[OpenEditor]:
    """Opens a task in a browser window of its own."""
    editors: list[Editor] = []

    def open_one(project: Project, task: int, auto_accept: bool = False) -> Editor:
        url = f"{studio}/projects/{project.id}/data?task={task}"
        editors.append(Editor(open_window(browser, login), url, auto_accept))
        return editors[-1]

    yield open_one
    waits = request.config.stash.setdefault(_WAITS, [])
    for editor in editors:
        waits += [answer.milliseconds for answer in editor.answers if answer.milliseconds is not None]
        editor.page.screenshot(path=folder / f"{request.node.name}-{len(waits)}.png")
        editor.page.context.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--pictures DIR keeps the README's pictures there."""
    parser.addoption("--pictures", type=Path, help="where to keep the README's pictures")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Says how long the annotator waited."""
    waits: list[float] = config.stash.get(_WAITS, [])
    if waits:
        terminalreporter.write_line(
            f"mouse-up to mask on screen: median {median(waits):.0f} ms, {min(waits):.0f} to {max(waits):.0f} ms "
            f"in {len(waits)} gestures"
        )
