"""The files of a folder that may be videos."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from dns_core.errors import InputError
from dns_core.records import VIDEO_SUFFIXES


def discover_videos(root: Path) -> list[tuple[str, Path]]:
    r"""Every file under ``root`` that is not hidden, as (video id, path), sorted by id.

    Nothing is judged here: a text file is listed too, and becomes a quarantined record when it is read
    instead of silently vanishing. The same holds for folders named like a video, folders that may not
    be listed and links to nothing. Links to folders are followed, each real folder once.

    Args:
        root: an existing folder. Names under it that start with a dot are hidden, with all they hold.

    Returns:
        Ids are paths relative to ``root`` with ``/`` separators; bytes that are not UTF-8 are written
        as ``\xNN``, so that an id can always be printed and stored.

    Raises:
        InputError: ``root`` is not a folder.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder")
    return sorted((_video_id(path.relative_to(root)), path) for path in _walk(root, set()))


def named_videos(paths: Sequence[Path], root: Path | None = None) -> list[tuple[str, Path]]:
    """Files, and those of folders as `discover_videos` finds them, as (video id, path), in the order given.

    Args:
        paths: files and folders; nothing is judged here.
        root: ids are paths relative to it; if None, the name of a file, and the path of a file of a folder
            relative to that folder. Links are named where they lie, and not what they lead to.

    Raises:
        InputError: a path is not under ``root``, a folder holds no file, or two files would bear one id.
    """
    found: dict[str, Path] = {}
    for path in paths:
        inside = discover_videos(path) if path.is_dir() else [("", path)]
        if not inside:
            raise InputError(f"{path}: expected a folder of videos, found no file in it")
        start = Path() if root is None else _below(path, root)
        if root is None and not path.is_dir():
            start = Path(path.name)
        for inner, file in inside:
            video_id = "/".join(part for part in (_video_id(start), inner) if part != ".").rstrip("/")
            if not _is_same(found.setdefault(video_id, file), file):
                raise InputError(
                    f"two of the files given have the same id {video_id}: {found[video_id]} and {file}; "
                    "with `--root DIR` ids are paths relative to DIR"
                )
    return list(found.items())


def _below(path: Path, root: Path) -> Path:
    """The path relative to ``root`` as it is written, or else with links followed."""
    for one, other in ((_absolute(path), _absolute(root)), (path.resolve(), root.resolve())):
        if one.is_relative_to(other):
            return one.relative_to(other)
    raise InputError(f"{path}: expected a file under {root}")


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def _is_same(one: Path, other: Path) -> bool:
    return _absolute(one) == _absolute(other)


def _walk(folder: Path, visited: set[tuple[int, int]]) -> Iterator[Path]:
    status = folder.stat()
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208 - names, not paths
    except PermissionError:
        yield folder
        return
    for path in (folder / name for name in names if not name.startswith(".")):
        is_folder = path.is_dir()
        if not is_folder or path.suffix.lower() in VIDEO_SUFFIXES:
            yield path
        if is_folder:
            yield from _walk(path, visited)


def _video_id(relative: Path) -> str:
    return os.fsencode(relative.as_posix()).decode("utf-8", "backslashreplace")
