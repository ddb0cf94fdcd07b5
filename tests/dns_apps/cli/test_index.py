"""dns index and dns check."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

Run = Any


def test_build_indexes_what_can_be_read_and_lists_the_rest(
    run: Run, models: Path, videos: Path, tmp_path: Path
) -> None:
    result = run("index", "build", "--videos", videos, "--out", tmp_path / "i", "--models", models, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["n_videos"] == 3
    assert [row["video_id"] for row in found["quarantine"]] == ["broken.mp4"]
    assert "quarantined broken.mp4" in result.stderr


def test_frames_that_look_alike_take_less_room(run: Run, models: Path, videos: Path, tmp_path: Path) -> None:
    sizes = []
    for name, options in {"whole": [], "merged": ["--merge-from", "0.2"]}.items():
        where = ["--videos", videos, "--out", tmp_path / name, "--models", models]
        result = run("index", "build", *where, *options, "--json")
        assert result.exit_code == 0, result.stderr
        sizes.append(json.loads(run("index", "info", tmp_path / name, "--json").stdout)["n_bytes"])
    assert sizes[1] < sizes[0]
    result = run("index", "build", *where, "--merge-from", "2")
    assert result.exit_code == 2
    assert "between 0 and 1" in result.stderr


@pytest.mark.parametrize("content", [None, b"no video"])
def test_build_of_nothing_readable_is_refused_and_writes_nothing(
    run: Run, models: Path, tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    if content is not None:
        (folder / "x.mp4").write_bytes(content)
    result = run("index", "build", "--videos", folder, "--out", tmp_path / "i", "--models", models)
    assert result.exit_code == 2
    assert "none readable" in result.stderr
    assert not (tmp_path / "i").exists()


def test_info_says_what_is_there(run: Run, built: Path) -> None:
    found = json.loads(run("index", "info", built, "--json").stdout)
    assert (found["n_videos"], found["n_quarantined"], found["version"]) == (3, 1, 1)
    assert found["bytes_per_video"] == found["n_bytes"] / 3
    assert "coarse" in found["models"]
    table = run("index", "info", built).stdout
    assert "broken.mp4" in table


def test_remove_add_and_compact_lead_back(run: Run, index: Path, models: Path, videos: Path) -> None:
    assert (
        json.loads(run("index", "remove", index, "a.mp4", "folder/c.mp4", "--json").stdout)["n_videos"] == 1
    )
    clip = videos / "folder" / "c.mp4"
    by_root = run("index", "add", index, clip, "--root", videos, "--models", models, "--json")
    assert json.loads(by_root.stdout)["n_videos"] == 2
    by_name = run("index", "add", index, videos / "a.mp4", "--models", models)
    assert "3 videos" in by_name.stdout
    assert run("index", "compact", index).exit_code == 0
    assert "is whole" in run("index", "verify", index).stdout
    answer = run("query", clip, "--index", index, "--models", models, "--budget", 0, "--top", 1, "--json")
    assert json.loads(answer.stdout)["results"][0]["video_id"] == "folder/c.mp4"


def test_add_refuses_a_known_id_and_quarantines_what_cannot_be_read(
    run: Run, index: Path, models: Path, videos: Path, tmp_path: Path
) -> None:
    again = run("index", "add", index, videos / "a.mp4", "--models", models)
    assert again.exit_code == 2
    assert "already in the index: a.mp4" in again.stderr
    (tmp_path / "bad.mp4").write_bytes(b"")
    bad = run("index", "add", index, tmp_path / "bad.mp4", "--models", models, "--json")
    assert bad.exit_code == 0
    assert [r["reason"] for r in json.loads(bad.stdout)["quarantine"] if r["video_id"] == "bad.mp4"] == [
        "empty"
    ]


def test_add_refuses_a_file_outside_its_root(run: Run, index: Path, videos: Path, tmp_path: Path) -> None:
    result = run("index", "add", index, videos / "a.mp4", "--root", tmp_path)
    assert result.exit_code == 2
    assert "expected a file under" in result.stderr


def test_add_refuses_other_models(run: Run, index: Path, other_models: Path, videos: Path) -> None:
    result = run("index", "add", index, videos / "folder" / "c.mp4", "--models", other_models)
    assert result.exit_code == 2
    assert "coarse mismatch" in result.stderr


def test_verify_finds_one_altered_byte(run: Run, index: Path) -> None:
    file = max((f for f in index.rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    result = run("index", "verify", index, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert file.name in result.stderr


@pytest.mark.parametrize("command", ["info", "verify", "compact"])
def test_commands_without_an_index_say_so(run: Run, tmp_path: Path, command: str) -> None:
    result = run("index", command, tmp_path / "nothing")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_check_reports_the_machine_the_models_and_the_index(run: Run, models: Path, built: Path) -> None:
    result = run("check", "--models", models, "--index", built, "--json")
    assert result.exit_code == 0, result.stdout
    parts = {row["part"]: row["state"] for row in json.loads(result.stdout)}
    assert parts["torch"] == parts["model coarse"] == parts["calibration"] == parts["index"] == "ok"
    assert parts["weights efficientnet_lite0.imagenet1k"] == "ok"


def test_check_without_models_is_no_failure(run: Run, tmp_path: Path) -> None:
    result = run("check", "--models", tmp_path / "m", "--index", tmp_path / "i")
    assert result.exit_code == 0
    assert "dns reproduce" in result.stdout


def test_check_fails_when_a_model_is_damaged(run: Run, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models, folder)
    (folder / "coarse.safetensors").write_bytes((models / "coarse.safetensors").read_bytes()[:-9])
    result = run("check", "--models", folder, "--index", tmp_path / "i", "--json")
    assert result.exit_code == 2
    broken = [row["part"] for row in json.loads(result.stdout) if row["state"] == "broken"]
    assert broken == ["model coarse"]
