"""Bringing videos into a collection: each file once, whole, and with a word on what became of it."""

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dns_core.errors import InputError, VideoError
from dns_core.stages.context import COLLECTIONS, Workspace
from dns_core.store.atomic import atomic_file
from dns_core.video.probe import probe_video

Outcome = Literal["added", "present", "refused"]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one file: ``added``, ``present`` before, or ``refused`` for the reason in ``detail``."""

    video_id: str
    outcome: Outcome
    detail: str = ""


def ingest_video(path: Path, video_id: str, folder: Path) -> Ingested:
    """Copy a file into ``folder`` under its id, or refuse it; idempotent.

    Args:
        path: the file.
        video_id: its path below ``folder``, with ``/`` separators.
        folder: of the collection.
    """
    target = folder / video_id
    try:
        probe_video(path, video_id)
    except VideoError as error:
        return Ingested(video_id, "refused", str(error))
    if target.exists():
        if _digest(target) == _digest(path):
            return Ingested(video_id, "present")
        return Ingested(video_id, "refused", "another video of this name is there; remove it first")
    with atomic_file(target) as temporary:
        shutil.copyfile(path, temporary)
    return Ingested(video_id, "added")


def remove_videos(folder: Path, video_ids: Sequence[str]) -> None:
    """Remove videos from ``folder``; versions recorded with them still have them.

    Raises:
        InputError: one is not there, or lies outside of the folder; nothing is removed then.
    """
    wrong = [name for name in video_ids if not _inside(folder, name)]
    if wrong:
        raise InputError(f"{folder}: expected videos of this collection, found no {', '.join(sorted(wrong))}")
    for name in video_ids:
        (folder / name).unlink()


def collection_folder(root: Path, collection: str) -> Path:
    """Folder of a collection.

    Raises:
        InputError: there is no such collection.
    """
    if collection not in COLLECTIONS:
        raise InputError(f"collection {collection!r}: expected {', '.join(COLLECTIONS)}")
    return Workspace(root).videos(collection)


def _inside(folder: Path, name: str) -> bool:
    path = folder / name
    return path.is_file() and path.parent.resolve().is_relative_to(folder.resolve())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
