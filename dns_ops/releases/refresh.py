"""The champion's index brought up to the videos of the database: what is new is added, what is gone goes."""

from dataclasses import dataclass
from pathlib import Path

from dns_core.errors import InputError
from dns_core.index import open_index, remove_videos, verify_index
from dns_core.ports import Progress
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.pipeline import add_to_index
from dns_core.store.atomic import read_json, write_json
from dns_core.video.discover import discover_videos
from dns_core.workspace import Workspace
from dns_ops.data.versioning import record_version
from dns_ops.data.versions import read_version
from dns_ops.fleet.choosing import open_fleet
from dns_ops.provenance import data_version
from dns_ops.releases.release import Release, champion, find_release
from dns_ops.settings import load_settings


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did.

    Attributes:
        version: of the data that the index now shows.
        added: ids of videos that were described and indexed, changed ones too.
        removed: ids of videos that the index no longer shows.
        kept: how many files were left as they were, indexed or quarantined.
    """

    version: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    kept: int


def refresh_index(root: Path, progress: Progress) -> Refreshed:
    """Bring the champion's index up to the database in ``data/``; only new videos are described.

    If it stops between removing and adding, the next run resumes.

    Raises:
        InputError: no bundle is in service.
        MismatchError: another bundle made the index.
        CorruptArtefactError: the index is not what was written; it is as before.
    """
    version = champion(root)
    if not version:
        raise InputError("no bundle is in service yet; `dns models promote` puts one there")
    release = find_release(root, version)
    data = record_version(root)
    wanted = {name: str(file["md5"]) for name, file in data.files["database"].items()}
    named = [row for row in discover_videos(Workspace(root).videos("database")) if row[0] in wanted]
    index = open_index(release.index)
    there = {*index.ids, *(row.video_id for row in index.manifest.quarantine)}
    before = _described(root, release)
    stays = {name for name in there & wanted.keys() if before.get(name, wanted[name]) == wanted[name]}
    gone = sorted(there - stays)
    new = [(name, path) for name, path in named if name not in stays]
    if gone or new:
        verify_index(release.index)
    if gone:
        remove_videos(release.index, gone)
    if new:
        fleet = open_fleet(load_settings(root))
        add_to_index(release.index, new, Bundle.load(release.models), progress, fleet)
    write_json(_record(release), {"version": data.name, "videos": wanted})
    added = tuple(name for name, _ in new)
    return Refreshed(
        data.name, added, tuple(name for name in gone if name not in added), len(named) - len(added)
    )


def _described(root: Path, release: Release) -> dict[str, str]:
    """Content by id of the videos that the index was last brought up to; empty if it was not recorded.

    Before the first refresh that is the version that the pipeline last read.
    """
    if _record(release).is_file():
        videos: dict[str, str] = read_json(_record(release))["videos"]
        return videos
    try:
        files = read_version(root, data_version(root)).files["database"]
    except InputError:
        return {}  # that version was never recorded: ids alone say what is new
    return {name: str(file["md5"]) for name, file in files.items()}


def _record(release: Release) -> Path:
    return release.folder / "database.json"
