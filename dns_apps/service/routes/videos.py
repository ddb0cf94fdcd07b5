"""``/v1/videos`` and ``/v1/compare``: the videos of the index; their pictures, clips and files.

An id is a path and may end in any word: each kind of answer has a prefix of its own and the id stands last.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np
from fastapi import APIRouter, Depends, Response

from dns_apps.service.access import Context, require
from dns_apps.service.context import ServiceContext
from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.query_runner import Compared
from dns_apps.service.refusals import not_found
from dns_apps.service.routes import viewing
from dns_apps.service.routes.openapi import (
    AtSeconds,
    Limit,
    Offset,
    Search,
    VideoPath,
    WidthPx,
    media,
    problems,
)
from dns_apps.service.schemas import CompareRequest, Comparison, Page, Side, Video, VideoRow
from dns_core.records import pane_spans
from dns_core.retrieval.localisation import sampling_period_s

router = APIRouter(prefix="/v1", tags=["videos"], dependencies=[Depends(require("query"))])


@router.post("/compare", summary="Compare two videos", responses=problems(404, 409, 429, 503))
def compare(request: CompareRequest, context: Context) -> Comparison:
    """Two videos, stored or of queries, frame by frame."""
    loaded = context.live_index.current()
    with context.viewing_slots.take():
        sides = (_side(context, loaded, request.a), _side(context, loaded, request.b))
        return context.query_runner.compared(loaded, request.fine, sides, request.max_side)


@router.get("/videos", summary="Videos of the index", responses=problems(503))
def videos(context: Context, search: Search = "", limit: Limit = 50, offset: Offset = 0) -> Page[VideoRow]:
    """Videos whose id contains a text, by id."""
    loaded = context.live_index.current()
    found = [video_id for video_id in loaded.sorted_ids if search in video_id]
    rows = tuple(_row(context, loaded, video_id) for video_id in found[offset : offset + limit])
    return Page(items=rows, total=len(found), limit=limit, offset=offset)


@router.get(
    "/thumbnails/{video_id:path}",
    response_class=Response,
    summary="A picture of a video",
    responses=media("image/jpeg", "A JPEG.") | problems(404, 429, 503),
)
def thumbnail(
    video_id: VideoPath, context: Context, at_s: AtSeconds = 0.0, width_px: WidthPx = 320
) -> Response:
    """A JPEG of one moment of a stored video, or of one that was refused and can yet be seen."""
    return viewing.thumbnail(context, _file(context, video_id, refused_too=True), at_s, width_px)


@router.get(
    "/previews/{video_id:path}",
    response_class=Response,
    summary="A clip of a video",
    responses=media("video/mp4", "H.264 without sound.") | problems(404, 429, 503),
)
def preview(video_id: VideoPath, context: Context, stop_s: AtSeconds, start_s: AtSeconds = 0.0) -> Response:
    """A stretch of a stored video, up to two minutes, as any browser plays it."""
    return viewing.preview(context, _file(context, video_id), start_s, stop_s)


@router.get(
    "/files/{video_id:path}",
    response_class=Response,
    summary="A video's file",
    responses=media("video/*", "The file; ranges of bytes are understood.") | problems(404, 416, 503),
)
def file(video_id: VideoPath, context: Context) -> Response:
    """The file of a stored video as it is."""
    return viewing.content(_file(context, video_id), video_id)


@router.get("/videos/{video_id:path}", summary="A video", responses=problems(404, 503))
def video(video_id: VideoPath, context: Context) -> Video:
    """A video of the index and what its file says."""
    loaded = context.live_index.current()
    row = _row(context, loaded, video_id).model_dump()
    path = context.video_folders.find(video_id)
    if path is None:
        return Video(**row)
    facts = asdict(context.viewing.facts(path))
    # The length is that of the search, which may have been told more than the picture holds.
    figures = {name: facts[name] for name in ("width_px", "height_px", "fps", "codec")}
    return Video(**row, **figures, n_bytes=path.stat().st_size)


def _row(context: ServiceContext, loaded: LoadedIndex, video_id: str) -> VideoRow:
    times_s = np.asarray(loaded.index.record(loaded.row(video_id)).times_s)
    times_s = times_s[slice(*pane_spans(times_s)[0])]
    duration_s = float(times_s[-1]) + sampling_period_s(times_s)
    playable = context.video_folders.find(video_id) is not None
    return VideoRow(id=video_id, duration_s=duration_s, n_frames=len(times_s), playable=playable)


def _file(context: ServiceContext, video_id: str, *, refused_too: bool = False) -> Path:
    loaded = context.live_index.current()
    if not (refused_too and video_id in loaded.refused):
        loaded.row(video_id)
    path = context.video_folders.find(video_id)
    if path is None:
        raise not_found("the file of the video is in none of the service's video folders")
    return path


def _side(context: ServiceContext, loaded: LoadedIndex, side: Side) -> Compared:
    if side.video is not None:
        loaded.row(side.video.video_id)
        return side.video
    return context.query_jobs.features(loaded, side.query_id or "")
