"""A real Chromium, a small archive with its index, and services that really run."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dns_core.corpus.archive import CorpusSize
from dns_core.corpus.demo import build_corpus
from dns_core.ports import SilentProgress
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_ops.http_probe import connection_problem

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZE = CorpusSize(
    train=1, database=5, queries=2, takes=(2, 2), shot_s=(4.0, 5.0), longest_s=9.0, widths_px=(160, 192),
    rates_fps=(8.0,),
)  # fmt: skip
PATIENCE_MS = 60_000
HERE = Path(__file__).parent

OpenPage = Callable[[str], AbstractContextManager[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(600))
            if BROWSER is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))


@contextmanager
def _running(command: tuple[str, ...], health: str, folder: Path, **variables: str) -> Iterator[None]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", **variables}
    log = folder / f"{urlsplit(health).port}.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            deadline = time.monotonic() + 180
            while connection_problem(health):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.3)
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Gives a port that no process listens on, another one each time."""
    return _free_port


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def _platform_up(root: Path) -> Iterator[dict[str, str]]:
    names = ("DNS_PREFECT_PORT", "DNS_MLFLOW_PORT", "DNS_SERVE_PORT", "DNS_DASHBOARD_PORT")
    ports = {name: str(_free_port()) for name in names}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DNS_", "PREFECT_"))}
    environment = {**kept, **ports, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

    def dns(command: str) -> None:
        arguments = [sys.executable, "-c", "from dns_apps.cli.main import main; main()", command]
        done = subprocess.run(
            arguments, cwd=root, env=environment, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    dns("up")
    try:
        yield ports
    finally:
        dns("down")


@pytest.fixture(scope="session")
def platform_up() -> Callable[[Path], AbstractContextManager[dict[str, str]]]:
    """`dns up` in a workspace while the block lasts; gives the settings of the ports."""
    return _platform_up


@pytest.fixture(scope="session")
def running() -> Callable[..., AbstractContextManager[None]]:
    """Runs a command in a folder while its block lasts, from when its address answers."""
    return _running


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of five videos, indexed with the models that come along."""
    root = tmp_path_factory.mktemp("workspace")
    build_corpus(root / "data", seed=5, size=SIZE, progress=SilentProgress())
    index_videos(root / "data/test/database", root / "artifacts/index", Bundle.load(SHIPPED_MODELS))
    return root


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts a Chromium without a window, with further arguments."""
    with sync_playwright() as play:  # one a process
        yield lambda *words: play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", *words])


@pytest.fixture(scope="session")
def browser(launch: Callable[..., Browser]) -> Iterator[Browser]:
    """A Chromium without a window."""
    started = launch()
    yield started
    started.close()


@pytest.fixture
def open_page(browser: Browser) -> OpenPage:
    """Opens a page that sends requests to this machine alone, and on which no script of a file name runs."""

    @contextmanager
    def opened(url: str) -> Iterator[Page]:
        page = browser.new_page(base_url=url, viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        yield page
        page.close()
        assert [url for url in asked if urlsplit(url).hostname not in ("127.0.0.1", None)] == []

    return opened


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Waits until something is true."""

    def wait(true: Callable[[], bool], within_s: float = 30.0) -> None:
        deadline = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.2)

    return wait
