"""The dashboard in a real browser, over a real query service and a small real index."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from dns_apps.service.client import Client
from dns_ops.platform.services import dashboard_command
from dns_ops.settings import Settings

PATIENCE_MS = 60_000
EVIL = "<img src=x onerror=alert(1)>.mp4"

AXE: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}

Running = Callable[..., AbstractContextManager[None]]
WaitUntil = Callable[..., None]


@pytest.fixture(scope="module")
def service(workspace: Path, running: Running, free_port: Callable[[], int]) -> Iterator[Client]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "dns_apps.service")
    with running(command, f"{url}/readyz", workspace, DNS_SERVE_PORT=str(port)), Client(url) as client:
        yield client


@pytest.fixture(scope="module")
def dashboard(
    workspace: Path, service: Client, running: Running, free_port: Callable[[], int]
) -> Iterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {"DNS_SERVICE_URL": service.url, "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    with running(
        dashboard_command(Settings(), "127.0.0.1", port), f"{url}/_stcore/health", workspace, **variables
    ):
        yield url


@pytest.fixture
def page(open_page: Callable[[str], AbstractContextManager[Page]], dashboard: str) -> Iterator[Page]:
    with open_page(dashboard) as page:
        yield page


@pytest.fixture
def query_video(workspace: Path) -> Path:
    return sorted((workspace / "data/test/queries").glob("*.mp4"))[0]


def ask(page: Page, video: Path | dict[str, object]) -> None:
    page.goto("/query")
    page.locator("input[type=file]").set_input_files(video)  # type: ignore[arg-type]
    button = page.locator(".st-key-search").get_by_role("button")
    expect(button).to_be_enabled(timeout=PATIENCE_MS)
    button.click()


def clocks(page: Page) -> tuple[float, float]:
    def find(side: str) -> float:
        return float(page.locator(f"video.{side}").evaluate("v => v.currentTime"))

    return find("query"), find("target")


def test_a_query_by_upload_is_answered_opened_played_and_judged(
    page: Page, query_video: Path, service: Client, wait_until: WaitUntil
) -> None:
    ask(page, query_video)
    card = page.locator(".st-key-card-1")
    expect(card).to_be_visible(timeout=PATIENCE_MS)
    expect(card).to_contain_text("fine")
    (summary,) = service.queries(limit=1).items
    assert f"query={summary.id}" in page.url
    first = service.query(summary.id)
    assert first.answer is not None
    best = first.answer.matches[0]
    expect(card).to_contain_text(f"{best.score:.3f}")

    card.get_by_role("button", name="Compare").click()
    expect(page.locator("video.target")).to_be_visible(timeout=PATIENCE_MS)
    page.wait_for_function("() => document.querySelector('.stApp')")
    wait_until(lambda: page.locator("video.target").evaluate("v => v.readyState") >= 3)
    began = clocks(page)
    page.get_by_role("button", name="Play both videos").click()
    wait_until(lambda: clocks(page)[0] > began[0] + 0.4)
    page.get_by_role("button", name="Pause both videos").click()
    played = clocks(page)
    # In step: the target's clock runs at the rate of the matched segment.
    segment = best.segments[0]
    target_s, query_s = (
        segment.target_end_s - segment.target_start_s,
        segment.query_end_s - segment.query_start_s,
    )
    expected_s = (played[0] - began[0]) * target_s / query_s
    assert played[1] - began[1] == pytest.approx(expected_s, abs=0.4)

    box = page.locator("canvas").last.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.85 * box["width"], box["y"] + 0.2 * box["height"])
    wait_until(lambda: all(now != then for now, then in zip(clocks(page), played, strict=True)))

    for name, verdict in (("Copy", "copy"), ("Not a copy", "not_a_copy")):
        judge(page, name).click()
        wait_until(
            lambda verdict=verdict: [row.verdict for row in service.labels(summary.id).items] == [verdict]
        )
    page.reload()
    expect(judge(page, "Not a copy")).to_have_attribute("aria-checked", "true", timeout=PATIENCE_MS)
    assert f"{best.video_id},not_a_copy" in service.exported_labels("csv").decode()


def judge(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name, exact=True).first


def test_an_answer_is_taken_away_as_a_table_and_as_json(
    page: Page, service: Client, query_video: Path
) -> None:
    query = service.query_file(query_video, wait_s=60)
    assert query.answer is not None
    page.goto(f"/query?query={query.id}")
    taken = {}
    for form in ("CSV", "JSON"):
        with page.expect_download(timeout=PATIENCE_MS) as download:
            page.get_by_role("button", name=form).click()
        taken[form] = download.value.path().read_text()
    rows = list(csv.DictReader(taken["CSV"].splitlines()))
    ids = [match.video_id for match in query.answer.matches]
    assert list(dict.fromkeys(row["video"] for row in rows)) == ids
    assert [match["video_id"] for match in json.loads(taken["JSON"])["answer"]["matches"]] == ids


def test_two_videos_are_searched_with_at_once_and_the_list_stays_in_the_address(
    page: Page, workspace: Path
) -> None:
    videos = sorted((workspace / "data/test").rglob("*.mp4"))[:2]
    page.goto("/query")
    page.locator("input[type=file]").set_input_files(videos)
    page.get_by_role("button", name="Search with 2 videos").click()
    expect(page.get_by_text("2 of 2 queries answered")).to_be_visible(timeout=PATIENCE_MS)
    page.reload()
    expect(page.get_by_text("2 of 2 queries answered")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name=videos[1].name).click()
    expect(page.locator(".st-key-asked")).to_contain_text(videos[1].name)


def test_a_picture_of_the_index_is_searched_with(page: Page, service: Client) -> None:
    first = service.videos().items[0].id
    page.goto("/index")
    card = page.locator(".st-key-video-0")
    expect(card.get_by_role("img")).to_be_visible(timeout=PATIENCE_MS)
    card.get_by_role("link", name="Search with this").click()
    expect(page.get_by_role("img", name=f"{first} at 0:00.0")).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".st-key-search").get_by_role("button").click()
    expect(page.get_by_text("the query itself").first).to_be_visible(timeout=PATIENCE_MS)


def test_the_link_opens_the_very_query(page: Page, service: Client, query_video: Path) -> None:
    query = service.query_file(query_video, wait_s=60)
    assert query.answer is not None
    page.goto(f"/query?query={query.id}")
    expect(page.locator(".st-key-card-1")).to_contain_text(f"{query.answer.matches[0].score:.3f}")
    expect(page.locator(".st-key-asked")).to_contain_text(query_video.name)


def test_a_name_of_html_is_shown_as_text_and_what_is_no_video_is_said_to_be_none(
    page: Page, query_video: Path
) -> None:
    ask(page, {"name": EVIL, "mimeType": "video/mp4", "buffer": b"this is no video"})
    expect(page.get_by_text("The query service refuses that")).to_be_visible(timeout=PATIENCE_MS)
    ask(page, {"name": EVIL, "mimeType": "video/mp4", "buffer": query_video.read_bytes()})
    expect(page.locator(".st-key-asked")).to_contain_text("onerror=alert(1)", timeout=PATIENCE_MS)
    assert page.locator("img[src='x']").count() == 0


def test_what_cannot_be_searched_with_says_why_and_leaves_nothing(
    page: Page, query_video: Path, workspace: Path, tmp_path: Path
) -> None:
    def kept() -> list[str]:
        home = workspace / ".platform" / "service"
        return sorted(p.name for d in ("queries", "scratch") for p in (home / d).iterdir())

    before = kept()
    content = query_video.read_bytes()
    for name, found in (("empty.mp4", b""), ("cut.mp4", content[: len(content) // 3])):
        ask(page, {"name": name, "mimeType": "video/mp4", "buffer": found})
        expect(page.get_by_text("The query service refuses that")).to_be_visible(timeout=PATIENCE_MS)
    assert kept() == before
    huge = tmp_path / "huge.mp4"
    with huge.open("wb") as file:
        file.truncate(5 << 30)  # of no blocks
    page.goto("/query")
    page.locator("input[type=file]").set_input_files(huge)
    expect(page.get_by_text("File must be").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(".st-key-search").get_by_role("button")).to_be_disabled()
    assert kept() == before


def test_a_video_is_removed_from_the_index_after_a_question_and_can_be_added_again(
    page: Page, service: Client, wait_until: WaitUntil
) -> None:
    before = service.index()
    page.goto("/index")
    page.get_by_role("button", name="Remove from the index").click(timeout=PATIENCE_MS)
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("combobox").click()
    page.get_by_role("option").nth(1).click()
    page.keyboard.press("Escape")  # shuts the list, which covers the button
    dialog.get_by_role("button", name="Remove 1 video").click()
    wait_until(lambda: service.index().n_videos == before.n_videos - 1)
    page.get_by_role("tab", name="Add").click()
    candidates = page.get_by_role("tabpanel").get_by_test_id("stDataFrame").first
    candidates.click(position={"x": 16, "y": 52})
    page.get_by_role("button", name="Add 1 to the index").click()
    wait_until(lambda: service.index().n_videos == before.n_videos, within_s=120)


def test_every_page_opens_at_the_width_of_a_phone_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    expect(page.locator("h1")).to_be_visible(timeout=PATIENCE_MS)
    links = page.get_by_test_id("stSidebarNavLink").evaluate_all("found => found.map(link => link.href)")
    assert len(links) >= 3
    for link in links:
        page.goto(link)
        expect(page.locator("h1")).to_be_visible(timeout=PATIENCE_MS)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_keyboard_goes_where_the_mouse_does(page: Page) -> None:
    def tab_to(name: str) -> Locator:
        focused = page.locator("*:focus")
        for _ in range(40):
            page.keyboard.press("Tab")
            if (focused.get_attribute("aria-label") or focused.inner_text()).endswith(name):
                return focused
        raise AssertionError(f"{name} was never reached")

    page.goto("/index")
    expect(page.get_by_label("Find by name")).to_be_visible()
    link = tab_to("Query")
    assert link.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Query", exact=True)).to_be_visible()
    expect(page.get_by_text("Pick a video of the index")).to_be_visible()
    tab_to("Upload a video")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_test_id("stFileUploader")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_levels_a_and_aa_forbid(
    page: Page, service: Client, query_video: Path, scheme: Literal["light", "dark"]
) -> None:
    query = service.query_file(query_video, wait_s=60)
    assert query.answer is not None
    page.emulate_media(color_scheme=scheme)
    page.goto("/")
    expect(page.locator("h1")).to_be_visible(timeout=PATIENCE_MS)
    links = page.get_by_test_id("stSidebarNavLink").evaluate_all("found => found.map(link => link.href)")
    best = query.answer.matches[0].video_id
    asked = [f"/query?query={query.id}{rest}" for rest in ("", "&review=next", f"&match={best}")]
    asked.append(f"/query?several={query.id}")
    found = {}
    for link in [*links, *asked]:
        page.goto(link)
        expect(page.locator("h1")).to_be_visible(timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        violations = Axe().run(page, options=AXE).response["violations"]
        if violations:
            found[link] = [
                (row["id"], row["help"], [node["html"][:200] for node in row["nodes"]]) for row in violations
            ]
    assert not found, json.dumps(found, indent=1)
