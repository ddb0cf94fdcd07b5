"""dns duplicates: pairs and groups of a real index, and the reports."""

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dns_core.video import read_clip

Run = Any


@pytest.fixture
def archive(run: Run, videos: Path, models: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A folder with equal files, and its index."""
    folder = tmp_path / "archive"
    shutil.copytree(videos, folder)
    shutil.copy(folder / "a.mp4", folder / "folder" / "a <copy>.mp4")
    done = run("index", "build", "--videos", folder, "--out", tmp_path / "index", "--models", models)
    assert done.exit_code == 0, done.stderr
    return folder, tmp_path / "index"


def test_copies_are_grouped_and_reported(
    run: Run, archive: tuple[Path, Path], models: Path, tmp_path: Path
) -> None:
    folder, index = archive
    options = ["--models", models, "--kind", "copy", "--min-score", "0.99"]
    found = json.loads(run("duplicates", index, *options, "--json").stdout)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"], pair["kind"]) == ("a.mp4", "folder/a <copy>.mp4", "identical")
    assert pair["first_n_bytes"] == (folder / "a.mp4").stat().st_size
    (group,) = found["groups"]
    assert (group["kind"], group["others"]) == ("copies", ["folder/a <copy>.mp4"])
    assert group["freed_bytes"] == pair["second_n_bytes"]
    for form in ("csv", "json", "parquet", "html"):
        out = tmp_path / f"report.{form}"
        done = run("duplicates", index, *options, "--out", out, "--videos", folder)
        assert done.exit_code == 0, done.stderr
        assert "1 pairs in 1 groups" in done.stdout
    with (tmp_path / "report.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row.keys() == pair.keys()
    assert row["best"] == "a.mp4"
    assert pq.read_table(tmp_path / "report.parquet").to_pylist() == [pair]
    assert json.loads((tmp_path / "report.json").read_text()) == found
    page = (tmp_path / "report.html").read_text()
    assert page.count('src="data:image/jpeg;base64,') == 2
    assert "folder/a &lt;copy&gt;.mp4" in page
    assert not re.search(r"https?:|<script|src=\"(?!data:)", page)


def test_labels_for_fiftyone_name_files_frames_and_groups(
    run: Run, archive: tuple[Path, Path], models: Path, tmp_path: Path
) -> None:
    folder, index = archive
    options = ["--models", models, "--kind", "copy", "--min-score", "0.99"]
    refused = run("duplicates", index, *options, "--out", tmp_path / "a.fiftyone")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "expected --videos DIR" in refused.stderr
    done = run("duplicates", index, *options, "--out", tmp_path / "a.fiftyone", "--videos", folder)
    assert done.exit_code == 0, done.stderr
    labels = json.loads((tmp_path / "a.fiftyone").read_text())["labels"]
    first, second = "a.mp4", "folder/a <copy>.mp4"
    assert labels.keys() == {str(folder / first), str(folder / second)}
    (found,) = labels[str(folder / first)]
    n_frames = read_clip(folder / first).n_frames
    assert (found["label"], found["support"]) == ("group 1", [1, n_frames])
    told = {"other": second, "relation": "identical", "kind": "copies", "best": first}
    assert (found["attributes"], found["confidence"]) == (told, pytest.approx(1.0))


def test_a_page_without_the_videos_has_no_pictures(
    run: Run, archive: tuple[Path, Path], models: Path, tmp_path: Path
) -> None:
    done = run("duplicates", archive[1], "--models", models, "--out", tmp_path / "page.html")
    assert done.exit_code == 0, done.stderr
    page = (tmp_path / "page.html").read_text()
    assert "no picture" in page
    assert "<img" not in page


def test_two_archives(run: Run, archive: tuple[Path, Path], built: Path, models: Path) -> None:
    options = ["--against", archive[1], "--models", models, "--min-score", "0.99", "--kind", "copy"]
    found = json.loads(run("duplicates", built, *options, "--json").stdout)
    pairs = {(pair["first"], pair["second"]) for pair in found["pairs"] if pair["kind"] == "identical"}
    assert pairs == {(v, v) for v in ("a.mp4", "b.mp4", "folder/c.mp4")} | {("a.mp4", "folder/a <copy>.mp4")}
    assert found["groups"] == []


def test_what_cannot_be_written_is_refused_before_the_work(
    run: Run, built: Path, models: Path, tmp_path: Path
) -> None:
    refused = run("duplicates", built, "--models", models, "--out", tmp_path / "report.xls")
    assert (refused.exit_code, ".html, .json, .fiftyone, .csv, .jsonl, .parquet" in refused.stderr) == (
        2,
        True,
    )
    refused = run("duplicates", built, "--models", models, "--videos", tmp_path / "none")
    assert (refused.exit_code, "expected the folder" in refused.stderr) == (2, True)
    assert not (built / "duplicates.jsonl").exists()
