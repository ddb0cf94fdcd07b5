"""A version is what the folders held; it can be compared with another and be had again."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from dns_core.errors import InputError, MissingArtefactError
from dns_core.video.encode import write_video
from dns_core.workspace import COLLECTIONS, Workspace
from dns_ops.data.ingest import ingest_videos, remove_videos
from dns_ops.data.versioning import checkout_version, record_version
from dns_ops.data.versions import current_version, data_versions, diff_versions, read_version
from dns_ops.provenance import data_version


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four videos of a second."""
    folder = tmp_path_factory.mktemp("videos")
    for number in range(4):
        frames = [np.full((32, 32, 3), 40 * number + frame, dtype=np.uint8) for frame in range(4)]
        write_video(folder / f"{number}.mp4", frames, fps=4.0)
    return folder


@pytest.fixture
def root(tmp_path: Path, videos: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a video in each collection."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    root = tmp_path / "workspace"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    for collection in COLLECTIONS:
        folder = Workspace(root).videos(collection)
        folder.mkdir(parents=True)
        shutil.copy(videos / "0.mp4", folder / "0.mp4")
    return root


def test_the_same_videos_are_the_same_version(root: Path) -> None:
    first = record_version(root)
    assert (first.n_videos, first.parent) == (3, "")
    assert first.duration_s == pytest.approx(3.0, abs=0.2)
    assert record_version(root) == first == current_version(root)
    assert data_versions(root) == [first]
    deps = [
        {"path": f"data/{path}", "md5": first.folders[path.rpartition("/")[2]]["md5"]}
        for path in ("train", "test/database", "test/queries")
    ]
    (root / "dvc.lock").write_text(yaml.safe_dump({"stages": {"probe_videos": {"deps": deps}}}))
    assert data_version(root) == first.name


def test_added_and_removed_videos_are_a_new_version_that_can_be_left_again(root: Path, videos: Path) -> None:
    train = Workspace(root).videos("train")
    first = record_version(root)
    outcomes = [ingest_videos([(f"new/{n}.mp4", videos / f"{n}.mp4")], train)[0].outcome for n in (1, 2)]
    assert outcomes == ["added", "added"]
    remove_videos(train, ["0.mp4"])
    second = record_version(root)
    assert second.parent == first.name
    found = diff_versions(first, second)
    assert found.added == ("train/new/1.mp4", "train/new/2.mp4")
    assert (found.removed, found.changed) == (("train/0.mp4",), ())

    assert checkout_version(root, first.name[:6]) == first
    assert sorted(path.name for path in train.rglob("*.mp4")) == ["0.mp4"]
    assert current_version(root) == first
    checkout_version(root, second.name)
    assert sorted(path.name for path in train.rglob("*.mp4")) == ["1.mp4", "2.mp4"]


def test_what_belongs_to_no_version_is_recorded_before_another_is_put_in_its_place(
    root: Path, videos: Path
) -> None:
    first = record_version(root)
    shutil.copy(videos / "3.mp4", Workspace(root).videos("train") / "3.mp4")
    checkout_version(root, first.name)
    assert len(data_versions(root)) == 2


def test_a_version_whose_videos_are_gone_is_an_error_that_changes_nothing(root: Path, videos: Path) -> None:
    shutil.copy(videos / "1.mp4", Workspace(root).videos("train") / "1.mp4")
    first = record_version(root)
    remove_videos(Workspace(root).videos("train"), ["1.mp4"])
    shutil.copy(videos / "3.mp4", Workspace(root).videos("train") / "3.mp4")
    second = record_version(root)
    cache = root / ".dvc" / "cache" / "files" / "md5"
    digest = first.files["train"]["1.mp4"]["md5"]
    (cache / digest[:2] / digest[2:]).unlink()
    with pytest.raises(MissingArtefactError, match=first.name):
        checkout_version(root, first.name)
    assert (Workspace(root).videos("train") / "3.mp4").exists()
    assert current_version(root) == second


def test_an_unknown_version_is_an_error_that_names_the_known(root: Path) -> None:
    version = record_version(root)
    with pytest.raises(InputError, match=version.name):
        read_version(root, "ffff")


def test_ingesting_again_changes_nothing_and_bad_files_are_refused(root: Path, videos: Path) -> None:
    train = Workspace(root).videos("train")
    assert ingest_videos([("0.mp4", videos / "0.mp4")], train)[0].outcome == "present"
    taken = ingest_videos([("0.mp4", videos / "1.mp4")], train)[0]
    assert (taken.outcome, taken.detail) == (
        "refused",
        "another video of this name is there; remove it first",
    )
    broken = root / "broken.mp4"
    broken.write_bytes(b"no video")
    assert ingest_videos([("broken.mp4", broken)], train)[0].outcome == "refused"
    assert [path.name for path in train.iterdir()] == ["0.mp4"]


@pytest.mark.parametrize("name", ["9.mp4", "../test/database/0.mp4"])
def test_only_videos_of_the_collection_are_removed(root: Path, name: str) -> None:
    with pytest.raises(InputError, match="found no"):
        remove_videos(Workspace(root).videos("train"), ["0.mp4", name])
    assert (Workspace(root).videos("train") / "0.mp4").exists()
