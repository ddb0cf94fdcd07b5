"""Bringing videos into a collection: each file once, whole, and with a word on what became of it."""

import hashlib
import math
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dns_core.errors import InputError
from dns_core.fleet import Fleet, LocalFleet, Task, Work, run_all
from dns_core.ports import Progress, SilentProgress
from dns_core.retrieval.intake import NamedVideos
from dns_core.store.atomic import atomic_file
from dns_core.workspace import COLLECTIONS, Workspace

Outcome = Literal["added", "present", "refused"]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of one file: ``added``, ``present`` before, or ``refused`` for the reason in ``detail``."""

    video_id: str
    outcome: Outcome
    detail: str = ""


def ingest_videos(
    videos: NamedVideos, folder: Path, progress: Progress | None = None, fleet: Fleet | None = None
) -> list[Ingested]:
    """Copy files into ``folder`` under their ids, or refuse them; idempotent.

    Args:
        videos: ids, which are paths below ``folder`` with ``/`` separators, and files.
        folder: of the collection.
        progress: shows how far checking has come.
        fleet: checks the files; this process if None.
    """
    tasks = [Task(video_id, {"path": str(path.absolute())}) for video_id, path in videos]
    work = Work("dns_core.stages.probe_videos:Prober", {"longest_s": math.inf})
    with closing(run_all(fleet or LocalFleet(), work, tasks)) as found:
        shown = (progress or SilentProgress()).track(found, "checking", len(tasks))
        cards = {card.id: card for card in shown}
    return [
        Ingested(video_id, "refused", f"{cards[video_id].reason}: {cards[video_id].detail}")
        if cards[video_id].reason
        else _taken_in(path, video_id, folder)
        for video_id, path in videos
    ]


def _taken_in(path: Path, video_id: str, folder: Path) -> Ingested:
    target = folder / video_id
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
