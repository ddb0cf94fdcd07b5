"""dns query, compare and evaluate, with real files and untrained networks."""

import contextlib
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import Result

from dns_core.datasets import write_ground_truth
from dns_core.index import open_index
from dns_core.records import GroundTruth, Segment
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_core.search import TRAINED_MODELS, models_folder
from dns_core.video import frames_at

Run = Any


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_query_answers_in_json_with_all_that_was_promised(
    run: Run, built: Path, models: Path, videos: Path
) -> None:
    clip = videos / "a.mp4"
    result = run("query", clip, "--index", built, "--models", models, "--top", 2, "--budget", 1, "--json")
    assert result.exit_code == 0
    (answer,) = lines(result)
    assert answer["query"] == str(clip)
    assert len(answer["results"]) == 2
    first = answer["results"][0]
    assert set(first) == {"video_id", "score", "stage", "segments", "relation", "rate", "file"}
    facts = {"duration_s", "n_bytes", "width_px", "height_px", "codec"}
    assert set(first["file"]) == set(answer["file"]) == facts
    assert answer["file"]["n_bytes"] == clip.stat().st_size
    assert (answer["file"]["codec"], answer["file"]["duration_s"]) == ("h264", 3.0)
    assert all(0 <= match["score"] <= 1 for match in answer["results"])
    assert {match["stage"] for match in answer["results"]} == {"fine"}
    assert answer["coverage"] == 0.75
    assert {"features", "coarse", "select", "fine", "localise", "total"} <= set(answer["timing_ms"])
    assert answer["timing_ms"]["total"] >= answer["timing_ms"]["features"]


def test_query_finds_the_very_same_file_first_and_says_where(
    run: Run, built: Path, models: Path, videos: Path
) -> None:
    for name in ("b.mp4", "folder/c.mp4"):
        result = run(
            "query", videos / name, "--index", built, "--models", models, "--budget", 0, "--json", "--top", 0
        )
        (answer,) = lines(result)
        assert answer["results"][0]["video_id"] == name
        assert len(answer["results"]) == 3
    whole = run("query", videos / "b.mp4", "--index", built, "--models", models, "--budget", "1", "--json")
    found = {match["video_id"]: match["segments"] for match in lines(whole)[0]["results"]}
    segment = found["b.mp4"][0]
    assert segment["query_start_s"] == segment["target_start_s"]
    assert segment["query_end_s"] - segment["query_start_s"] >= 2


def test_query_goes_on_after_a_file_that_is_no_video(
    run: Run, built: Path, models: Path, videos: Path
) -> None:
    clips = [videos / "broken.mp4", videos / "nowhere.mp4", videos / "a.mp4"]
    result = run("query", *clips, "--index", built, "--models", models, "--json")
    assert result.exit_code == 2
    broken, nowhere, answer = lines(result)
    assert broken["query"] == str(clips[0])
    assert set(broken["error"]) == {"reason", "detail"}
    assert nowhere["error"]["reason"] == "missing"
    assert answer["results"]
    complaints = [line for line in result.stderr.splitlines() if line.startswith("dns: ")]
    assert len(complaints) == 2
    assert str(clips[0]) in complaints[0]


def test_query_for_people_is_a_table(run: Run, built: Path, models: Path, videos: Path) -> None:
    result = run("query", videos / "a.mp4", "--index", built, "--models", models, "--budget", "50ms")
    assert result.exit_code == 0
    assert "folder/c.mp4" in result.stdout
    assert "75.0%" in result.stdout


def test_a_folder_of_queries_gives_one_table(
    run: Run, built: Path, models: Path, videos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "queries"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(videos / name, folder)
    (folder / "a.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n")
    options = ["--index", built, "--models", models, "--budget", 1]
    for form in ("csv", "jsonl", "parquet"):
        result = run("query", folder, *options, "--out", tmp_path / f"table.{form}")
        assert result.exit_code == 0, result.stderr
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(Path(row["query"]).name, row["rank"]) for row in rows] == [
        (name, str(rank)) for name in ("a.mp4", "b.mp4") for rank in (1, 2, 3)
    ]
    best = next(row for row in rows if (Path(row["query"]).name, row["video_id"]) == ("b.mp4", "b.mp4"))
    assert best["relation"] == "copy"
    assert float(best["rate"]) == pytest.approx(1, abs=0.1)
    assert float(best["query_end_s"]) <= 3.0 >= float(best["target_end_s"])
    assert best["n_bytes"] == str((videos / "b.mp4").stat().st_size)
    lines_of = [json.loads(line) for line in (tmp_path / "table.jsonl").read_text().splitlines()]
    assert pq.read_table(tmp_path / "table.parquet").to_pylist() == lines_of
    assert len(lines_of) == 6
    (folder / "c.mp4").write_bytes(b"no video")
    assert run("query", folder, *options).exit_code == 2


def test_a_screenshot_finds_the_video_and_the_moment(
    run: Run, built: Path, models: Path, videos: Path, tmp_path: Path
) -> None:
    (picture,) = frames_at(videos / "b.mp4", [1.5], max_side_px=400)
    Image.fromarray(picture).save(tmp_path / "shot.png")
    (answer,) = lines(run("query", tmp_path / "shot.png", "--index", built, "--models", models, "--json"))
    best = answer["results"][0]
    assert best["video_id"] == "b.mp4"
    assert 1.0 <= best["segments"][0]["target_start_s"] < 2.0  # the scene lasts from 1 s to 2 s
    assert (best["relation"], answer["file"]["codec"], answer["file"]["duration_s"]) == (
        "excerpt",
        "picture",
        0,
    )
    table = run("query", tmp_path, "--index", built, "--models", models)
    assert "shot.png" in table.stdout


def test_the_exit_status_says_whether_something_was_found(
    run: Run, built: Path, models: Path, videos: Path
) -> None:
    options = ["--index", built, "--models", models, "--json"]
    (answer,) = lines(run("query", videos / "a.mp4", *options))
    best = max(match["score"] for match in answer["results"])
    found = run("query", videos / "a.mp4", *options, "--min-score", best - 1e-6)
    assert found.exit_code == 0
    assert all(match["score"] >= best - 1e-6 for match in lines(found)[0]["results"])
    nothing = run("query", videos / "a.mp4", *options, "--min-score", min(1, best + 1e-6))
    assert (nothing.exit_code, lines(nothing)[0]["results"]) == (1, [])
    assert run("query", videos / "broken.mp4", *options, "--min-score", 0.5).exit_code == 2


@pytest.mark.parametrize("budget", ["7", "much", "-1", "0ms"])
def test_query_refuses_a_budget_that_is_none(run: Run, videos: Path, built: Path, budget: str) -> None:
    result = run("query", videos / "a.mp4", "--index", built, "--budget", budget)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "budget" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_query_refuses_models_that_did_not_make_the_index(
    run: Run, built: Path, other_models: Path, videos: Path
) -> None:
    result = run("query", videos / "a.mp4", "--index", built, "--models", other_models, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "coarse mismatch" in result.stderr


def test_compare_says_how_alike_and_where(run: Run, models: Path, videos: Path, tmp_path: Path) -> None:
    a, b = videos / "a.mp4", videos / "b.mp4"
    picture = tmp_path / "a b.png"
    same = run("compare", a, a, "--models", models, "--json", "--plot", picture)
    (answer,) = lines(same)
    assert set(answer) == {"a", "b", "score", "raw_score", "segments"}
    assert 0 <= answer["score"] <= 1
    assert answer["segments"][0]["score"] > 0.9
    assert picture.read_bytes().startswith(b"\x89PNG")
    table = run("compare", a, b, "--models", models)
    assert table.exit_code == 0
    assert table.stdout.startswith("score ")


def test_compare_names_the_file_that_is_no_video(run: Run, models: Path, videos: Path) -> None:
    result = run("compare", videos / "a.mp4", videos / "broken.mp4", "--models", models, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


@pytest.fixture
def ground_truth(tmp_path: Path) -> Path:
    whole = Segment(0.0, 3.0, 0.0, 3.0, 1.0)
    truth = GroundTruth(
        queries=("a.mp4", "b.mp4", "gone.mp4"),
        database=("a.mp4", "b.mp4", "broken.mp4", "folder/c.mp4"),
        labels={"a.mp4": {"b.mp4": "ND"}, "b.mp4": {"folder/c.mp4": "ND"}, "gone.mp4": {"a.mp4": "ND"}},
        tasks={"copies": ("ND",)},
        segments={"a.mp4": {"b.mp4": (whole,)}},
    )
    path = tmp_path / "truth.json"
    write_ground_truth(path, truth)
    return path


def test_evaluate_counts_what_is_missing(
    run: Run, built: Path, models: Path, videos: Path, ground_truth: Path
) -> None:
    options = ["--index", built, "--ground-truth", ground_truth, "--queries", videos, "--models", models]
    result = run("evaluate", *options, "--budget", 1, "--json")
    assert result.exit_code == 0
    (report,) = lines(result)
    assert report["n_queries"] == 3
    assert report["missing_queries"] == ["gone.mp4"]
    assert report["missing_videos"] == ["broken.mp4"]
    assert report["coverage"] == pytest.approx(2 / 3 * 3 / 4)
    task = report["tasks"]["copies"]
    assert task["per_query"]["gone.mp4"] == 0
    assert task["mean_average_precision"] == pytest.approx(sum(task["per_query"].values()) / 3)
    assert set(report["segments"]) == {"precision", "recall", "f1"}
    assert "gone.mp4" in result.stderr
    table = run("evaluate", *options)
    assert "copies" in table.stdout
    assert "coverage 50.0%" in table.stdout


def test_evaluate_refuses_a_ground_truth_that_is_wrong(
    run: Run, built: Path, models: Path, videos: Path, tmp_path: Path
) -> None:
    (tmp_path / "truth.json").write_text('{"format": 3}')
    result = run(
        "evaluate", "--index", built, "--ground-truth", tmp_path / "truth.json", "--queries", videos,
        "--models", models,
    )  # fmt: skip
    assert result.exit_code == 2
    assert "format: expected format 1, found 3" in result.stderr


def test_models_need_not_be_named(run: Run, index: Path, videos: Path, models: Path, tmp_path: Path) -> None:
    """Trained here before shipped ones; and whichever of the two an index was made by."""
    trained = tmp_path / "workspace"
    (trained / "artifacts").mkdir(parents=True)
    with contextlib.chdir(trained):
        assert models_folder(None) == SHIPPED_MODELS
        (trained / "artifacts" / "models").symlink_to(models)
        assert models_folder(None) == TRAINED_MODELS
        assert models_folder(None, open_index(index)) == TRAINED_MODELS
        assert models_folder(tmp_path) == tmp_path
        assert run("query", videos / "a.mp4", "--index", index, "--json").exit_code == 0
        other = trained / "other"
        index_videos(videos, other, Bundle.load(SHIPPED_MODELS))
        assert models_folder(None, open_index(other)) == SHIPPED_MODELS
