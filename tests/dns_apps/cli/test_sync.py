"""dns index add and sync: folders, links and names; what changed in a folder, told by content."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.index import build_index, open_index, verify_index
from dns_core.index.build import Origin
from dns_core.retrieval.pipeline import FeaturePipeline
from dns_core.video.encode import write_video

Run = Any
Sync = Callable[..., dict[str, Any]]


@pytest.fixture
def archive(videos: Path, tmp_path: Path) -> Path:
    """A folder of videos that a test may change."""
    folder = tmp_path / "archive"
    shutil.copytree(videos, folder)
    return folder


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the videos that are decoded."""
    names: list[str] = []
    described = FeaturePipeline.described

    def counting(self: FeaturePipeline, path: Path, video_id: str, **options: bool) -> Any:
        names.append(video_id)
        return described(self, path, video_id, **options)

    monkeypatch.setattr(FeaturePipeline, "described", counting)
    return names


@pytest.fixture
def sync(run: Run, index: Path, archive: Path, models: Path) -> Sync:
    """The command, with its answer."""

    def synced(*options: str) -> dict[str, Any]:
        done = run("index", "sync", index, "--videos", archive, "--models", models, "--json", *options)
        assert done.exit_code == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return synced


def film(path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    write_video(path, [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(8)], fps=4.0)


def build_anew(run: Run, archive: Path, models: Path, out: Path) -> str:
    done = run("index", "build", "--videos", archive, "--out", out, "--models", models)
    assert done.exit_code == 0, done.stderr
    return open_index(out).manifest.data


def test_sync_decodes_what_is_new_and_nothing_twice(
    run: Run, sync: Sync, *, index: Path, archive: Path, models: Path, decoded: list[str], tmp_path: Path
) -> None:
    assert sync()["n_kept"] == 4
    (archive / "a.mp4").rename(archive / "folder" / "moved.mp4")
    (archive / "b.mp4").unlink()
    film(archive / "new.mp4", 1)
    shutil.copy(archive / "new.mp4", archive / "again.mp4")
    film(archive / "folder" / "c.mp4", 2)
    done = sync()
    assert (done["new"], done["changed"], done["gone"]) == (
        ["again.mp4", "new.mp4"],
        ["folder/c.mp4"],
        ["b.mp4"],
    )
    assert done["moved"] == [{"from": "a.mp4", "to": "folder/moved.mp4"}]
    assert (done["n_decoded"], done["n_videos"], done["n_kept"]) == (2, 4, 1)
    assert sorted(decoded) == ["again.mp4", "folder/c.mp4"]
    verify_index(index)
    assert open_index(index).manifest.data == build_anew(run, archive, models, tmp_path / "anew")
    assert not (index / "pending").exists()
    assert sync()["version"] == done["version"]  # nothing to do, no new version


def test_a_dry_run_changes_nothing(run: Run, sync: Sync, index: Path, archive: Path, models: Path) -> None:
    before = open_index(index).manifest
    film(archive / "new.mp4", 1)
    (archive / "broken.mp4").write_bytes(b"still no video")
    assert sync("--dry-run")["new"] == ["new.mp4"]
    printed = run("index", "sync", index, "--videos", archive, "--models", models, "--dry-run")
    assert "new      new.mp4" in printed.stdout
    assert open_index(index).manifest == before
    assert sync()["changed"] == ["broken.mp4"]  # the dry run did not take it for done
    assert sync()["changed"] == []


def test_what_was_refused_is_tried_again_when_it_changes(sync: Sync, index: Path, archive: Path) -> None:
    (archive / "late.mp4").touch()  # a download that has not begun
    assert sync()["n_quarantined"] == 1
    assert "late.mp4" in {row.video_id for row in open_index(index).manifest.quarantine}
    film(archive / "late.mp4", 3)
    done = sync()
    assert (done["changed"], done["n_videos"]) == (["late.mp4"], 4)
    assert "late.mp4" not in {row.video_id for row in open_index(index).manifest.quarantine}


def test_an_empty_folder_does_not_empty_the_index(
    run: Run, index: Path, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "unmounted").mkdir()
    refused = run("index", "sync", index, "--videos", tmp_path / "unmounted", "--models", models)
    assert refused.exit_code == 2
    assert "the index is left as it is" in refused.stderr
    assert open_index(index).n_videos == 3


def test_an_index_without_digests_keeps_its_videos(sync: Sync, index: Path, archive: Path) -> None:
    known = open_index(index)
    records = [replace(known.record(row), probe=None) for row in range(known.n_videos)]
    origin = Origin(known.manifest.models, known.manifest.params)
    build_index(index, records, origin, quarantine=known.manifest.quarantine)
    assert sync()["n_kept"] == 4
    (archive / "a.mp4").unlink()
    assert sync()["gone"] == ["a.mp4"]


@pytest.mark.parametrize("command", ["build", "add", "sync"])
def test_what_was_finished_before_an_interruption_is_kept(
    run: Run, archive: Path, *, models: Path, built: Path, tmp_path: Path, command: str,
    decoded: list[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    index = tmp_path / "index"
    if command != "build":
        shutil.copytree(built, index)
    for seed in range(3):
        film(archive / "more" / f"{seed}.mp4", seed)
    arguments = {
        "build": ["build", "--videos", archive, "--out", index],
        "add": ["add", index, archive / "more"],
        "sync": ["sync", index, "--videos", archive],
    }[command]
    described = FeaturePipeline.described

    def interrupted(self: FeaturePipeline, path: Path, video_id: str, **options: bool) -> Any:
        if video_id.endswith("2.mp4"):
            raise KeyboardInterrupt
        return described(self, path, video_id, **options)

    with monkeypatch.context() as patch:
        patch.setattr(FeaturePipeline, "described", interrupted)
        stopped = run("index", *arguments, "--models", models)
    assert (stopped.exit_code, "what was finished is kept" in stopped.stderr) == (130, True)
    decoded.clear()
    done = run("index", *arguments, "--models", models)
    assert done.exit_code == 0, done.stderr
    assert [name.rpartition("/")[2] for name in decoded if name != "broken.mp4"] == ["2.mp4"]
    assert open_index(index).n_videos == 6
    verify_index(index)


def test_an_index_may_be_changed_during_an_add(
    run: Run, archive: Path, index: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(archive / "one" / "1.mp4", 1)
    film(archive / "one" / "2.mp4", 2)
    film(archive / "other" / "3.mp4", 3)
    described = FeaturePipeline.described

    def meanwhile(self: FeaturePipeline, path: Path, video_id: str, **options: bool) -> Any:
        if video_id == "2.mp4":
            assert run("index", "add", index, archive / "other", "--models", models).exit_code == 0
        return described(self, path, video_id, **options)

    with monkeypatch.context() as patch:
        patch.setattr(FeaturePipeline, "described", meanwhile)
        done = run("index", "add", index, archive / "one", "--models", models)
    assert done.exit_code == 0, done.stderr
    assert {"1.mp4", "2.mp4", "3.mp4"} <= set(open_index(index).ids)
    verify_index(index)


def test_add_takes_folders_as_build_does(run: Run, index: Path, models: Path, tmp_path: Path) -> None:
    film(tmp_path / "more" / "deep" / "x.mp4", 1)
    film(tmp_path / "more" / os.fsdecode(b"odd\xff.mp4"), 2)
    (tmp_path / "more" / "note.txt").write_text("text")
    done = run("index", "add", index, tmp_path / "more", "--models", models, "--json")
    assert done.exit_code == 0, done.stderr
    assert set(open_index(index).ids) > {"deep/x.mp4", "odd\\xff.mp4"}
    assert "note.txt" in {row["video_id"] for row in json.loads(done.stdout)["quarantine"]}
    done = run("index", "add", index, tmp_path / "more", "--root", tmp_path, "--models", models)
    assert done.exit_code == 0, done.stderr
    assert "more/deep/x.mp4" in open_index(index).ids
    (tmp_path / "nothing").mkdir()
    refused = run("index", "add", index, tmp_path / "nothing", "--models", models)
    assert (refused.exit_code, "found no file" in refused.stderr) == (2, True)


def test_add_names_a_link_where_it_lies(run: Run, index: Path, models: Path, tmp_path: Path) -> None:
    film(tmp_path / "elsewhere" / "film.mp4", 1)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "link.mp4").symlink_to(tmp_path / "elsewhere" / "film.mp4")
    done = run(
        "index", "add", index, tmp_path / "a" / "link.mp4", "--root", tmp_path / "a", "--models", models
    )
    assert done.exit_code == 0, done.stderr
    assert "link.mp4" in open_index(index).ids
    outside = tmp_path / "elsewhere" / "film.mp4"
    refused = run("index", "add", index, outside, "--root", tmp_path / "a", "--models", models)
    assert (refused.exit_code, "expected a file under" in refused.stderr) == (2, True)


def test_two_files_of_one_name_are_told_apart(run: Run, index: Path, models: Path, tmp_path: Path) -> None:
    paths = [tmp_path / folder / "clip.mp4" for folder in ("x", "y")]
    for seed, path in enumerate(paths):
        film(path, seed)
    refused = run("index", "add", index, *paths, "--models", models)
    assert refused.exit_code == 2
    assert "have the same id clip.mp4" in refused.stderr
    assert "--root" in refused.stderr
    done = run("index", "add", index, *paths, paths[0], "--root", tmp_path, "--models", models)
    assert done.exit_code == 0, done.stderr
    assert set(open_index(index).ids) > {"x/clip.mp4", "y/clip.mp4"}
