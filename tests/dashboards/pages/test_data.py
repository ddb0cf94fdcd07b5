"""The page Data: of an empty workspace, of one with everything, and of one with very much."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dns_core.store.atomic import write_json
from dns_core.workspace import Workspace
from dns_ops.data.versions import DataVersion, write_version

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]

SUITE = {
    "suite": "corpus", "part": "train", "success": False, "rows": 3,
    "expectations": [{"expectation": "e", "column": "status", "meaning": "none is refused", "success": False,
                      "failing": 1, "observed": "", "rows": [{"video": "bad.mp4"}]}],
}  # fmt: skip


def video(n: int) -> dict[str, object]:
    return {"video_id": f"{n:06}.mp4", "duration_s": 1.0 + n % 60, "fps": 25.0, "height_px": 240}


def fill(root: Path, n_videos: int, n_refused: int) -> None:
    space = Workspace(root)
    refused = [
        {"video_id": f"bad-{n}.mp4", "reason": "not_a_video", "detail": "no stream"} for n in range(n_refused)
    ]
    for collection in ("train", "database", "queries"):
        videos = [video(n) for n in range(n_videos if collection == "train" else 1)]
        content = {"videos": videos, "quarantine": refused if collection == "train" else []}
        write_json(space.probes(collection), content)
    ids = [f"{n:06}.mp4" for n in range(n_videos)]
    clusters = {video_id: n // 2 for n, video_id in enumerate(ids)}
    write_json(space.split, {"cluster_of": clusters, "alike": {}, "validation": [], "train": ids})
    report = {"name": "validate_data", "success": False, "suites": [SUITE, {**SUITE, "suite": "drift"}]}
    write_json(space.artifacts / "quality" / "validate_data.json", report)
    for name, files in (("aaaa", {}), ("bbbb", {"x.mp4": {"md5": "1", "duration_s": 2.0}})):
        write_version(
            root, DataVersion(name, "", f"2026-05-01T00:00:0{len(files)}+00:00", {}, {"train": files})
        )


PARTS = ("Versions", "Quality", "Quarantine", "Near-duplicates", "Distributions", "Drift")


def part(app: AppTest, name: str) -> AppTest:
    app.session_state["part"] = name
    app.run()
    assert not app.exception
    return app


@pytest.mark.usefixtures("fake")
def test_of_an_empty_workspace_every_part_says_what_to_do(opened: Opened, texts: Texts) -> None:
    app = opened("data")
    shown = "".join(texts(part(app, name)) for name in PARTS)
    for told in ("dns data ingest", "dns reproduce", "split_videos", "drift"):
        assert told in shown


@pytest.mark.usefixtures("fake")
def test_versions_quality_quarantine_and_groups_are_shown(
    opened: Opened, texts: Texts, workspace: Path
) -> None:
    fill(workspace, 4, 2)
    app = opened("data")
    frames = [frame.value for name in PARTS for frame in part(app, name).dataframe]
    assert any("version" in frame and frame["version"].tolist() == ["bbbb", "aaaa"] for frame in frames)
    assert any("what" in frame and frame["video"].tolist() == ["x.mp4"] for frame in frames)
    assert any("expected that" in frame for frame in frames)
    assert any("reason" in frame and len(frame) == 2 for frame in frames)
    assert "2 groups" in texts(part(app, "Near-duplicates"))


def test_a_group_is_reviewed_by_a_search_whose_verdicts_are_labels(
    fake: Any, opened: Opened, workspace: Path
) -> None:
    fill(workspace, 4, 2)
    app = part(opened("data"), "Near-duplicates")
    app.button(key="review-a.mp4").click().run()
    assert not app.exception
    (asked,) = [note for note in fake.asked if note[0] == "query_video"]
    assert (asked[1].video_id, asked[2].top_k) == ("a.mp4", 4)
    (link,) = app.get("link_button")
    assert link.proto.url == f"query?query={fake.made_query().id}&review=next"


@pytest.mark.usefixtures("fake")
def test_of_100_000_videos_a_page_is_sent(opened: Opened, workspace: Path) -> None:
    fill(workspace, 100_000, 1000)
    app = opened("data")
    for name in PARTS:
        assert max((len(frame.value) for frame in part(app, name).dataframe), default=0) <= 100
