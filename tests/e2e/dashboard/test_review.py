"""A review of many answers in a real browser: by keyboard alone, and in a time that a day's work can bear."""

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from dns_apps.service.client import Client
from dns_apps.service.schemas import QueryOptions
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_ops.platform.services import dashboard_command
from dns_ops.settings import Settings

PATIENCE_MS = 60_000
N_ANSWERS = 50
LONGEST_S = 180
"""For all of them on a busy machine of two cores; a person takes longer to look."""

OpenPage = Callable[[str], AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def archive(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty files, all in the index: the five of the archive under ten names each."""
    root = tmp_path_factory.mktemp("review")
    videos = root / "data/test/database"
    videos.mkdir(parents=True)
    for video in sorted((workspace / "data/test/database").iterdir()):
        for number in range(N_ANSWERS // 5):
            shutil.copy(video, videos / f"{number}-{video.name}")
    index_videos(videos, root / "artifacts/index", Bundle.load(SHIPPED_MODELS))
    return root


@pytest.fixture(scope="module")
def service(
    archive: Path, running: Callable[..., AbstractContextManager[None]], free_port: Callable[[], int]
) -> Iterator[Client]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "dns_apps.service")
    with running(command, f"{url}/readyz", archive, DNS_SERVE_PORT=str(port)), Client(url) as client:
        yield client


@pytest.fixture
def page(
    archive: Path, service: Client, running: Callable[..., AbstractContextManager[None]], open_page: OpenPage,
    free_port: Callable[[], int],
) -> Iterator[Page]:  # fmt: skip
    port = free_port()
    command = dashboard_command(Settings(), "127.0.0.1", port)
    url = f"http://127.0.0.1:{port}"
    with (
        running(command, f"{url}/_stcore/health", archive, DNS_SERVICE_URL=service.url),
        open_page(url) as page,
    ):
        page.set_default_timeout(PATIENCE_MS)
        yield page


def test_fifty_answers_are_labelled_without_a_mouse(page: Page, service: Client, workspace: Path) -> None:
    video = next((workspace / "data/test/queries").iterdir())
    query = service.query_file(video, QueryOptions(top_k=N_ANSWERS), wait_s=100)
    assert query.answer is not None
    assert len(query.answer.matches) == N_ANSWERS
    page.goto(f"/query?query={query.id}")
    expect(page.locator(f".st-key-card-{N_ANSWERS}")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_load_state("networkidle")
    press(page, "v")
    expect(done(page, 0)).to_be_visible(timeout=PATIENCE_MS)
    press(page, "p")
    expect(page.locator("video")).to_have_count(2, timeout=PATIENCE_MS)
    began = time.monotonic()
    for number in range(N_ANSWERS):
        expect(done(page, number)).to_be_visible(timeout=PATIENCE_MS)
        press(page, "ynu"[number % 3])
        if number == 4:
            expect(done(page, 5)).to_be_visible(timeout=PATIENCE_MS)
            press(page, "z")
            expect(done(page, 4)).to_be_visible(timeout=PATIENCE_MS)
            press(page, "n")
    expect(page.get_by_text("Every match has a verdict")).to_be_visible(timeout=PATIENCE_MS)
    assert time.monotonic() - began < LONGEST_S
    kept = {row.video_id: row.verdict for row in service.labels(query.id, limit=N_ANSWERS).items}
    wanted = ["copy", "not_a_copy", "unsure"]
    assert [kept[row.video_id] for row in query.answer.matches] == [wanted[n % 3] for n in range(N_ANSWERS)]


def done(page: Page, number: int) -> Locator:
    return page.get_by_text(f"{number} of {N_ANSWERS} matches", exact=True)


def press(page: Page, key: str) -> None:
    """As a person does, who sees what the key is for."""
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible(timeout=PATIENCE_MS)
    page.keyboard.press(key)
