"""``/v1/index``: what is served, and changing it."""

from datetime import UTC, datetime
from pathlib import Path

from fastapi import APIRouter, Depends

from dns_apps.service.access import Context, require
from dns_apps.service.context import ServiceContext
from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.near_duplicates import SIMILARITY
from dns_apps.service.routes.openapi import Limit, Offset, Search, VideoPath, problems
from dns_apps.service.schemas import (
    AddRequest,
    DuplicateGroups,
    HolderRow,
    IndexState,
    IndexVersion,
    Job,
    Page,
    QuarantineRow,
)
from dns_core.errors import DnsError
from dns_core.index import open_index
from dns_core.index.check import info_of
from dns_core.index.manifest import Manifest, read_manifest
from dns_core.index.versions import current_version, version_folder, versions_on_disk

router = APIRouter(prefix="/v1/index", tags=["index"], dependencies=[Depends(require("query"))])
_admin = [Depends(require("admin"))]
_SHOWN_QUARANTINE = 100


@router.get("", summary="The index", responses=problems(503))
def read(context: Context) -> IndexState:
    """What the served index holds, what made it, and the versions on disk."""
    return _state(context, context.live_index.current())


@router.post("/reload", summary="Serve the newest version", dependencies=_admin, responses=problems(409, 503))
def reload(context: Context) -> IndexState:
    """The newest version answers from now on; requests at work end with the one that they began with."""
    return _state(context, context.live_index.reload())


@router.get(
    "/candidates",
    summary="Files that could be added",
    dependencies=_admin,
    responses=problems(503),
)
def candidates(context: Context, search: Search = "", limit: Limit = 50, offset: Offset = 0) -> Page[str]:
    """Files of the video folders that the index does not hold, by path."""
    found = context.video_folders.files(search, without=context.live_index.current().rows)
    return Page(items=tuple(found[offset : offset + limit]), total=len(found), limit=limit, offset=offset)


@router.get("/groups", summary="Near-duplicates", responses=problems(503))
def groups(context: Context, limit: Limit = 50, offset: Offset = 0) -> DuplicateGroups:
    """Videos of the index that show the same; a large index is compared in the background, ask again."""
    progress, found = context.near_duplicates.groups(context.live_index.current())
    return DuplicateGroups(
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
def add(request: AddRequest, context: Context) -> Job:
    """Add files of the video folders; the new version is served when the work is done."""
    return context.index_jobs.add(request.video_ids)


@router.get("/jobs", summary="All work on the index", dependencies=_admin, responses=problems())
def jobs(context: Context, limit: Limit = 50, offset: Offset = 0) -> Page[Job]:
    """Work on the index, the newest first; what a restart interrupted is resumed."""
    found, total = context.index_jobs.page(limit, offset)
    return Page(items=tuple(found), total=total, limit=limit, offset=offset)


@router.get("/jobs/{job_id}", summary="Work on the index", dependencies=_admin, responses=problems(404))
def job(job_id: str, context: Context) -> Job:
    """How far work on the index has come."""
    return context.index_jobs.job(job_id)


@router.delete(
    "/videos/{video_id:path}",
    summary="Remove a video",
    dependencies=_admin,
    responses=problems(404, 409, 503),
)
def remove(video_id: VideoPath, context: Context) -> IndexState:
    """The index no longer holds the video; its file stays where it is."""
    return _state(context, context.index_jobs.remove(video_id))


def _state(context: ServiceContext, loaded: LoadedIndex) -> IndexState:
    index, manifest, info = loaded.index, loaded.index.manifest, info_of(loaded.index)
    healthy, health = _health(loaded)
    rows = manifest.quarantine[:_SHOWN_QUARANTINE]
    return IndexState(
        version=manifest.version,
        release=loaded.release,
        folder=context.live_index.named(loaded.folder),
        waiting=context.live_index.waiting,
        versions=_versions(loaded),
        healthy=healthy,
        health=health,
        n_videos=info.n_videos,
        n_removed=info.n_removed,
        n_quarantined=info.n_quarantined,
        n_chunks=info.n_chunks,
        n_frames=info.n_frames,
        n_bytes=info.n_bytes,
        bytes_per_video=info.n_bytes / info.n_videos if info.n_videos else 0.0,
        parts=manifest.parts,
        coverage=index.coverage,
        data=manifest.data,
        models=dict(manifest.models),
        quarantine=tuple(QuarantineRow.model_validate(row, from_attributes=True) for row in rows),
        loaded_at=loaded.loaded_at,
        holders=tuple(
            HolderRow.model_validate(holder, from_attributes=True) for holder in context.live_index.holders()
        ),
    )


def _health(loaded: LoadedIndex) -> tuple[bool, str]:
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


def _versions(loaded: LoadedIndex) -> tuple[IndexVersion, ...]:
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


def _newest(loaded: LoadedIndex) -> int:
    try:
        return current_version(loaded.folder)
    except DnsError:
        return 0  # the folder is not what it was: the health says how


def _manifest(folder: Path) -> Manifest | None:
    try:
        return read_manifest(folder)
    except DnsError:
        return None  # a writer is taking the version away
