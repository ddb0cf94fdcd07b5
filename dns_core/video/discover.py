"""The files of a folder that may be videos."""

import os
from collections.abc import Iterator
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
