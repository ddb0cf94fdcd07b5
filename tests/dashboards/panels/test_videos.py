"""What is in the data, as rows and counts."""

from typing import Any

from dashboards.panels.videos import (
    cluster_rows,
    clusters,
    diff_rows,
    distribution_figure,
    expectation_rows,
    quarantine_rows,
    reason_counts,
    summary,
)
from dns_core.records import Quarantined
from dns_ops.data.versions import DataDiff, DataVersion

VIDEOS = [
    {"video_id": f"{n}.mp4", "duration_s": 10.0 * n, "fps": 25.0, "height_px": 240} for n in range(1, 5)
]
BAD = {"video_id": "bad\n.mp4", "reason": "not_a_video", "detail": "no stream"}
PROBES: dict[str, dict[str, Any]] = {
    "train": {"videos": VIDEOS, "quarantine": [BAD]},
    "database": {"videos": VIDEOS[:1], "quarantine": []},
    "queries": {},
}
SPLIT = {
    "cluster_of": {"1.mp4": 0, "2.mp4": 1, "3.mp4": 0, "4.mp4": 0},
    "alike": {"1.mp4": ["3.mp4", "4.mp4"], "2.mp4": [], "3.mp4": ["1.mp4"], "4.mp4": ["1.mp4"]},
    "validation": ["2.mp4"],
}


def test_refused_videos_are_listed_with_their_reasons_whoever_refused_them() -> None:
    rows = quarantine_rows(PROBES, {"database": [Quarantined("late.mp4", "corrupt", "stopped")]})
    assert [row["reason"] for row in rows] == ["not_a_video", "corrupt"]
    assert [row["collection"] for row in rows] == ["train", "database"]
    assert "\n" not in rows[0]["video"]
    assert reason_counts([*rows, rows[1]])[0] == ("corrupt", 2)


def test_groups_are_of_two_or_more() -> None:
    assert clusters(SPLIT) == [("1.mp4", "3.mp4", "4.mp4")]
    assert clusters({}) == []
    rows = cluster_rows(("1.mp4", "3.mp4"), SPLIT, {"1.mp4": 10.0})
    assert [(row["shares frames with"], row["used to"], row["seconds"]) for row in rows] == [
        (2, "learn", 10.0),
        (1, "learn", None),
    ]


def test_every_video_is_counted_once_for_any_spread() -> None:
    for measure, n_expected in (("duration_s", 5), ("fps", 5)):
        figure = distribution_figure(PROBES, measure)  # type: ignore[arg-type]
        assert sum(sum(trace.y) for trace in figure.data) == n_expected
    assert not distribution_figure({"train": {}}, "fps").data


def test_a_difference_is_a_row_a_video() -> None:
    rows = diff_rows(DataDiff(added=("train/a/b.mp4",), removed=(), changed=("queries/c.mp4",)))
    assert [(row["what"], row["collection"], row["video"]) for row in rows] == [
        ("added", "train", "a/b.mp4"),
        ("changed", "queries", "c.mp4"),
    ]


def test_a_version_is_summed_up_without_its_files() -> None:
    files: dict[str, Any] = {
        "train": {"a.mp4": {"md5": "x", "duration_s": 3.0}, "b.txt": {"md5": "y", "duration_s": None}}
    }
    version = DataVersion("n", "", "2026-05-01T00:00:00+00:00", {"train": {"size": 12}}, files)
    found = summary(version)
    assert (found.n_videos, found.duration_s, found.n_bytes) == (2, 3.0, 12)


def test_expectations_that_failed_stand_first_with_examples() -> None:
    met = {"meaning": "ids are unique", "success": True, "failing": 0, "observed": "", "rows": []}
    failed = {"meaning": "none is refused", "success": False, "failing": 9, "observed": "",
              "rows": [{"video": f"{n}.mp4", "status": "refused"} for n in range(9)]}  # fmt: skip
    rows = expectation_rows({"expectations": [met, failed]})
    assert rows[0]["rows otherwise"] == 9
    assert rows[0]["examples"].count(";") == 4
