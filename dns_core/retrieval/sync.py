"""Bringing an index up to a folder: what is new, changed, moved or gone, told by the content of files.

Nothing is decoded twice: a file that was renamed, or lies there again under another name, has the record of
its content. `seen.json` beside the versions keeps the digests of files with their size and time of change, so
that a folder that did not change is not read.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError, VideoError
from dns_core.fleet import Fleet, LocalFleet
from dns_core.index import Index, add_videos, open_index
from dns_core.index.pending import Pending
from dns_core.ports import Progress
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.intake import Intake, NamedVideos
from dns_core.retrieval.pipeline import encoder_of
from dns_core.store.atomic import read_json, write_json
from dns_core.video.discover import discover_videos
from dns_core.video.probe import content_digest

_SEEN = "seen.json"
# A file that changed so shortly before it was read may change again within the same tick of its clock.
_RACY_NS = 2_000_000_000
_UNREAD = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A file that has another name or place now."""

    old: str
    new: str
    path: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What a folder asks of an index.

    Attributes:
        new: ids and files that the index does not know.
        changed: likewise, whose content is another one now.
        moved: files whose content the index knows under an id that is gone.
        gone: ids of which there is no file any more.
        n_kept: files that are as they were, indexed or quarantined.
        digests: of the content of the files that could be read, by id.
    """

    new: NamedVideos
    changed: NamedVideos
    moved: Sequence[Move]
    gone: tuple[str, ...]
    n_kept: int
    digests: dict[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether the index is up to the folder."""
        return not (self.new or self.changed or self.moved or self.gone)


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation did.

    Attributes:
        plan: what was to be done.
        version: of the index now.
        n_videos: videos in it.
        n_decoded: files that were decoded.
        n_quarantined: files that could not be used, of those that were looked at.
    """

    plan: Plan
    version: int
    n_videos: int
    n_decoded: int
    n_quarantined: int


def plan_sync(path: Path, videos: Path, progress: Progress) -> Plan:
    """What has to be done that the index shows the folder; nothing is changed but `seen.json`.

    Videos of an index that was made before it kept digests are taken to be unchanged.

    Args:
        path: the folder of the index.
        videos: the folder; ids are paths relative to it.
        progress: shows how far reading has come.

    Raises:
        InputError: the folder holds no file; an index is not emptied because a disk is not mounted.
        MissingArtefactError: there is no index.
    """
    index = open_index(path)
    named = discover_videos(videos)
    if not named:
        raise InputError(f"{videos}: expected videos, found no file; the index is left as it is")
    digests = _digests(path / _SEEN, named, progress)
    before = _contents(index)
    gone = before.keys() - dict(named).keys()
    fresh = [(v, file) for v, file in named if v not in before]
    moved = _moves({v: before[v] for v in sorted(gone)}, fresh, digests)
    renamed = {move.new for move in moved}
    changed = [
        (v, file) for v, file in named if before.get(v) is not None and before[v] != digests.get(v, _UNREAD)
    ]
    return Plan(
        new=[(v, file) for v, file in fresh if v not in renamed],
        changed=changed,
        moved=moved,
        gone=tuple(sorted(gone - {move.old for move in moved})),
        n_kept=len(named) - len(fresh) - len(changed),
        digests=digests,
    )


def sync_index(
    path: Path, plan: Plan, bundle: Bundle, progress: Progress, fleet: Fleet | None = None
) -> Synced:
    """The index shows the folder as it was planned, in one new version; readers meanwhile have the old one.

    An interrupted run resumes when it is planned and called again.

    Args:
        path: the folder of the index.
        plan: of `plan_sync`.
        bundle: the models that made the index.
        progress: shows how far it has come.
        fleet: describes the videos; this process if None.

    Raises:
        MismatchError: other models made the index.
    """
    index = open_index(path)
    if plan.is_empty:
        return Synced(plan, index.manifest.version, index.n_videos, 0, 0)
    encoder = encoder_of(index.manifest, bundle)
    pending = Pending(path, encoder.origin)
    files = [*plan.new, *plan.changed, *((move.new, move.path) for move in plan.moved)]
    with pending as records:
        intake = Intake(records, encoder, fleet or LocalFleet(), index)
        taken = intake.take(sorted(files), progress, plan.digests)
        manifest = add_videos(
            path,
            intake.records(taken),
            models=encoder.origin.models,
            quarantine=taken.quarantine,
            gone={*plan.gone, *(v for v, _ in plan.changed), *(move.old for move in plan.moved)},
        )
        pending.clear()
    n_videos = sum(entry.n_videos - len(entry.removed) for entry in manifest.shards)
    return Synced(plan, manifest.version, n_videos, taken.n_decoded, len(taken.quarantine))


def _contents(index: Index) -> dict[str, str | None]:
    """Digest by id of what the index knows, refused files too; None where it was made without digests."""
    known: dict[str, str | None] = {row.video_id: row.sha256 for row in index.manifest.quarantine}
    for video_id, probe in zip(index.ids, index.probes, strict=True):
        known[video_id] = None if probe is None else probe.sha256
    return known


def _moves(gone: Mapping[str, str | None], fresh: NamedVideos, digests: Mapping[str, str]) -> list[Move]:
    """Fresh files with the content of one that is gone, each of which is used once."""
    old_ids: defaultdict[str, list[str]] = defaultdict(list)
    for video_id, sha256 in gone.items():
        old_ids[sha256 or _UNREAD].append(video_id)
    moves = []
    for video_id, file in fresh:
        candidates = old_ids[digests[video_id]] if video_id in digests else []
        if candidates:
            same_name = [old for old in candidates if old.rpartition("/")[2] == file.name]
            old = (same_name or candidates)[0]
            candidates.remove(old)
            moves.append(Move(old, video_id, file))
    return moves


def _digests(seen: Path, named: NamedVideos, progress: Progress) -> dict[str, str]:
    """Digest by id of the files that can be read; those that were seen before are not read again."""
    before = _remembered(seen)
    after: dict[str, list[Any]] = {}
    digests: dict[str, str] = {}
    for video_id, path in progress.track(named, "looking for changes", len(named)):
        try:
            status = path.stat()
            mark = [status.st_size, status.st_mtime_ns]
            known = before.get(video_id, [])
            digests[video_id] = known[2] if known[:2] == mark else content_digest(path)
        except (OSError, VideoError):
            continue  # who describes the file says why
        if time.time_ns() - status.st_mtime_ns > _RACY_NS:
            after[video_id] = [*mark, digests[video_id]]
    if after != before:
        write_json(seen, after)
    return digests


def _remembered(seen: Path) -> dict[str, list[Any]]:
    try:
        found: dict[str, list[Any]] = read_json(seen)
    except (MissingArtefactError, CorruptArtefactError):
        return {}  # it only saves time
    return found
