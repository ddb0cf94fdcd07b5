"""``/v1/index``: what is served, and changing it."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Depends

from dns_apps.service.access import PartsOf, require
from dns_apps.service.alike import SIMILARITY
from dns_apps.service.parts import Parts
from dns_apps.service.routes.answers import Limit, Offset, Search, VideoPath, problems
from dns_apps.service.schemas import (
    AddRequest,
    AlikeGroups,
    IndexState,
    IndexVersion,
    Job,
    Page,
    QuarantineRow,
)
from dns_apps.service.served import Loaded
from dns_core.errors import DnsError
from dns_core.index import open_index
from dns_core.index.manifest import Manifest, read_manifest
from dns_core.index.versions import current_version, version_folder, versions_on_disk

router = APIRouter(prefix="/v1/index", tags=["index"], dependencies=[Depends(require("query"))])
_admin = [Depends(require("admin"))]
_SHOWN_QUARANTINE = 100


@router.get("", summary="The index", responses=problems(503))
def read(parts: PartsOf) -> IndexState:
    """What the served index holds, what made it, and the versions on disk."""
    return _state(parts, parts.served.current())


@router.post("/reload", summary="Serve the newest version", dependencies=_admin, responses=problems(409, 503))
def reload(parts: PartsOf) -> IndexState:
    """The newest version answers from now on; requests at work end with the one that they began with."""
    return _state(parts, parts.served.reload())


@router.get(
    "/candidates",
    summary="Files that could be added",
    dependencies=_admin,
    responses=problems(503),
)
def candidates(parts: PartsOf, search: Search = "", limit: Limit = 50, offset: Offset = 0) -> Page[str]:
    """Files of the video folders that the index does not hold, by path."""
    found = parts.library.files(search, without=parts.served.current().rows)
    return Page(items=tuple(found[offset : offset + limit]), total=len(found), limit=limit, offset=offset)


@router.get("/groups", summary="Near-duplicates", responses=problems(503))
def groups(parts: PartsOf, limit: Limit = 50, offset: Offset = 0) -> AlikeGroups:
    """Videos of the index that show the same; a large index is compared in the background, ask again."""
    progress, found = parts.alike.groups(parts.served.current())
    return AlikeGroups(
        progress=progress,
        similarity=SIMILARITY,
        groups=found[offset : offset + limit],
        total=len(found),
        n_videos=sum(map(len, found)),
    )


@router.post(
    "/videos",
    status_code=202,
    summary="Add videos",
    dependencies=_admin,
    responses=problems(404, 409, 503),
)
def add(request: AddRequest, parts: PartsOf) -> Job:
    """Add files of the video folders; the new version is served when the work is done."""
    return parts.index_work.add(request.video_ids)


@router.get("/jobs", summary="All work on the index", dependencies=_admin, responses=problems())
def jobs(parts: PartsOf, limit: Limit = 50, offset: Offset = 0) -> Page[Job]:
    """Work on the index, the newest first; what a restart interrupted goes on."""
    found, total = parts.index_work.page(limit, offset)
    return Page(items=tuple(found), total=total, limit=limit, offset=offset)


@router.get("/jobs/{job_id}", summary="Work on the index", dependencies=_admin, responses=problems(404))
def job(job_id: str, parts: PartsOf) -> Job:
    """How far work on the index has come."""
    return parts.index_work.job(job_id)


@router.delete(
    "/videos/{video_id:path}",
    summary="Remove a video",
    dependencies=_admin,
    responses=problems(404, 409, 503),
)
def remove(video_id: VideoPath, parts: PartsOf) -> IndexState:
    """The index no longer holds the video; its file stays where it is."""
    return _state(parts, parts.index_work.remove(video_id))


def _state(parts: Parts, loaded: Loaded) -> IndexState:
    index, manifest = loaded.index, loaded.index.manifest
    parts_of = manifest.parts
    n_bytes = sum(parts_of.values())
    healthy, health = _health(loaded)
    rows = manifest.quarantine[:_SHOWN_QUARANTINE]
    return IndexState(
        version=manifest.version,
        release=loaded.release,
        folder=parts.served.named(loaded.folder),
        waiting=parts.served.waiting,
        versions=_versions(loaded),
        healthy=healthy,
        health=health,
        n_videos=index.n_videos,
        n_removed=sum(len(entry.removed) for entry in manifest.shards),
        n_quarantined=len(manifest.quarantine),
        n_chunks=sum(entry.n_chunks for entry in manifest.shards),
        n_frames=sum(entry.n_frames for entry in manifest.shards),
        n_bytes=n_bytes,
        bytes_per_video=n_bytes / index.n_videos if index.n_videos else 0.0,
        parts=parts_of,
        coverage=index.coverage,
        data=manifest.data,
        models=dict(manifest.models),
        quarantine=tuple(QuarantineRow.model_validate(row, from_attributes=True) for row in rows),
        loaded_at=loaded.loaded_at,
    )


def _health(loaded: Loaded) -> tuple[bool, str]:
    if damage := loaded.damage or loaded.index.damage:
        return False, damage
    try:
        newest = open_index(loaded.folder).manifest
        newest.check_models(loaded.index.manifest.models)
    except DnsError as error:
        return False, str(error)
    served = loaded.index.manifest.version
    if newest.version != served:
        return True, f"version {newest.version} is on disk and is served after a reload"
    return True, "every file is there and as long as it was written, and every block that was read is whole"


def _versions(loaded: Loaded) -> tuple[IndexVersion, ...]:
    served, newest = loaded.index.manifest.version, _newest(loaded)
    rows = []
    for number in versions_on_disk(loaded.folder):
        folder = version_folder(loaded.folder, number)
        manifest = _manifest(folder)
        if manifest is not None:
            rows.append(
                IndexVersion(
                    version=number,
                    n_videos=sum(entry.n_videos - len(entry.removed) for entry in manifest.shards),
                    created_at=datetime.fromtimestamp(folder.stat().st_mtime, UTC),
                    served=number == served,
                    newest=number == newest,
                )
            )
    return tuple(rows)


def _newest(loaded: Loaded) -> int:
    try:
        return current_version(loaded.folder)
    except DnsError:
        return 0  # the folder is not what it was: the health says how


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except DnsError:
        return None  # a writer is taking the version away
