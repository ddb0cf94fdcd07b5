"""Which files count as perhaps a video."""

import os
from pathlib import Path

import pytest

from dns_core.errors import InputError
from dns_core.video import discover_videos


def ids(root: Path) -> list[str]:
    return [video_id for video_id, _ in discover_videos(root)]


def test_every_file_that_is_not_hidden(tmp_path: Path) -> None:
    for name in ("b.mp4", "a/b.mp4", "a/c/notes.txt", ".hidden.mp4", ".cache/x.mp4", "a/ü\n.mkv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert ids(tmp_path) == ["a/b.mp4", "a/c/notes.txt", "a/ü\n.mkv", "b.mp4"]
    assert dict(discover_videos(tmp_path))["a/b.mp4"] == tmp_path / "a" / "b.mp4"


def test_a_root_below_a_hidden_folder(tmp_path: Path) -> None:
    (tmp_path / ".cache" / "videos").mkdir(parents=True)
    (tmp_path / ".cache" / "videos" / "v.mp4").touch()
    assert ids(tmp_path / ".cache" / "videos") == ["v.mp4"]


def test_folders_named_like_videos_and_broken_links_are_listed(tmp_path: Path) -> None:
    (tmp_path / "folder.MP4").mkdir()
    (tmp_path / "folder.MP4" / "v.mp4").touch()
    (tmp_path / "link.mp4").symlink_to("nothing")
    assert ids(tmp_path) == ["folder.MP4", "folder.MP4/v.mp4", "link.mp4"]


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "v.mp4").touch()
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "loop").symlink_to(root)
    assert ids(root) == ["link/v.mp4"]


def test_a_folder_that_may_not_be_listed_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "v.mp4").touch()
    listdir = os.listdir

    def refuse(path: Path) -> list[str]:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)  # tests may run as root, which may list everything
    assert ids(tmp_path) == ["closed", "v.mp4"]


def test_ids_can_always_be_printed(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.mp4")).touch()
    [(video_id, path)] = discover_videos(tmp_path)
    assert video_id.encode() == b"\\xff.mp4"
    assert path.exists()


def test_a_root_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        discover_videos(tmp_path / "none")
