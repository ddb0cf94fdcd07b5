"""dns hashes: lists of others searched in an index, and lists made for others."""

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dns_core.store.journal import append_line, whole_lines

Run = Any
CLIP = Path(__file__).resolve().parents[2] / "golden" / "pdq" / "4.mp4"
REFERENCE = json.loads((CLIP.parent / "reference.json").read_text())
with_pdqhash = pytest.mark.skipif(
    find_spec("pdqhash") is None, reason="pdqhash is not installed: pip install '.[hashes]'"
)


@pytest.fixture
def received(tmp_path: Path) -> Path:
    """A list of others: a clip, and a picture that the index lacks."""
    features = [
        f"{digits},{quality},{time_s:.3f}" for _, quality, digits, time_s in REFERENCE["clips"][CLIP.name]
    ]
    rows = [
        {"id": "1", "type": "vpdq", "indicator": json.dumps(features)},
        {"id": "2", "type": "HASH_PDQ", "indicator": "5a" * 32},
        {"id": "3", "type": "HASH_PDQ", "indicator": "no hash"},
    ]
    (tmp_path / "received.json").write_text(json.dumps({"data": rows}))
    return tmp_path / "received.json"


@with_pdqhash
def test_a_list_is_searched_in_an_index(
    run: Run, received: Path, videos: Path, models: Path, tmp_path: Path
) -> None:
    folder, index = tmp_path / "archive", tmp_path / "index"
    shutil.copytree(videos, folder)
    for name in ("clip.mp4", "again.mp4"):
        shutil.copy(CLIP, folder / name)
    done = run("index", "build", "--videos", folder, "--out", index, "--models", models)
    assert done.exit_code == 0, done.stderr
    refused = run("hashes", "search", received, index)
    assert (refused.exit_code, "dns hashes add" in refused.stderr) == (2, True)
    (folder / "b.mp4").write_bytes(b"another file now")
    added = json.loads(run("hashes", "add", index, "--videos", folder, "--json").stdout)
    assert (added["n_videos"], added["n_hashed"]) == (5, 4)
    assert [(row["video_id"], row["reason"]) for row in added["refused"]] == [("b.mp4", "missing")]
    assert len(list(whole_lines(index / "hashes.jsonl"))) == 3, "a file that lies twice is hashed once"
    done = run("hashes", "search", received, index, "--out", tmp_path / "found.csv", "--json")
    assert (done.exit_code, "64 hexadecimal digits" in done.stderr) == (0, True)
    found = [
        (row["query"], row["target"], row["query_share"], row["distance"]) for row in json.loads(done.stdout)
    ]
    assert found == [("1", "again.mp4", 1.0, 0), ("1", "clip.mp4", 1.0, 0)]
    assert len((tmp_path / "found.csv").read_text().splitlines()) == 3


@with_pdqhash
def test_an_interrupted_run_goes_on(run: Run, built: Path, videos: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    run("hashes", "add", index, "--videos", videos)
    whole = (index / "hashes.jsonl").read_text()
    lines = whole.splitlines(keepends=True)
    (index / "hashes.jsonl").write_text(lines[0] + lines[1][:40])
    done = run("hashes", "add", index, "--videos", videos)
    assert "3 of 3 videos have hashes" in done.stdout
    assert (index / "hashes.jsonl").read_text() == whole


@with_pdqhash
def test_a_list_is_made_of_files_for_others(run: Run, received: Path, tmp_path: Path) -> None:
    (tmp_path / "film.srt").write_text("subtitles are no video")
    shutil.copy(CLIP, tmp_path / "clip.mp4")
    done = run("hashes", "export", tmp_path / "clip.mp4", received, "--out", tmp_path / "mine.json")
    assert (done.exit_code, "3 entries" in done.stdout) == (0, True), done.stderr
    made = json.loads((tmp_path / "mine.json").read_text())["data"]
    assert [row["id"] for row in made] == ["clip.mp4", "1", "2"]
    assert made[0]["indicator"] == made[1]["indicator"]
    assert run("hashes", "export", tmp_path / "clip.mp4", "--out", tmp_path / "mine.xls").exit_code == 2


def test_lists_are_searched_in_lists(run: Run, received: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("5a" * 32 + "\n")
    done = run("hashes", "search", tmp_path / "mine.txt", received)
    assert (done.exit_code, "1 entries were found" in done.stdout) == (0, True)
    (tmp_path / "mine.txt").write_text("5b" * 32 + "\n")
    assert run("hashes", "search", tmp_path / "mine.txt", received).exit_code == 1
    assert run("hashes", "search", tmp_path / "mine.txt", received, "--distance", "32").exit_code == 0


def test_without_the_library_the_extra_is_named(
    run: Run, videos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pdqhash", None)
    refused = run("hashes", "export", videos, "--out", tmp_path / "list.json")
    assert (refused.exit_code, "distill-and-select[hashes]" in refused.stderr) == (2, True)
    assert not (tmp_path / "list.json").exists()


def test_a_journal_forgets_a_line_that_was_cut_off(tmp_path: Path) -> None:
    append_line(tmp_path / "j", {"a": 1})
    with (tmp_path / "j").open("a") as file:
        file.write('{"a": ')
    assert list(whole_lines(tmp_path / "j")) == [{"a": 1}]
