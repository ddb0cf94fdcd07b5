"""``/v1/videos`` and ``/v1/compare``: the videos of the index; their pictures, clips and files.

An id is a path and may end in any word: each kind of answer has a prefix of its own and the id stands last.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Depends, Query, Response

from dns_apps.service.access import Context, require
from dns_apps.service.context import ServiceContext
from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.query_runner import Compared
from dns_apps.service.refusals import not_found
from dns_apps.service.routes import viewing
from dns_apps.service.routes.openapi import (
    AtSeconds,
    VideoPath,
    WidthPx,
    media,
    problems,
)
from dns_apps.service.schemas import CompareRequest, Comparison, Page, Side, Video, VideoRow, VideosAsked
from dns_apps.service.video_list import listed_videos
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


@router.get("/videos", summary="Videos of the index", responses=problems(404, 503))
def videos(context: Context, asked: Annotated[VideosAsked, Query()]) -> Page[VideoRow]:
    """Videos whose id contains a text, and which pass the filters."""
    loaded = context.live_index.current()
    found = listed_videos(loaded, asked)
    rows = tuple(
        _row(context, loaded, video_id, similarity)
        for video_id, similarity in found[asked.offset : asked.offset + asked.limit]
    )
    return Page(items=rows, total=len(found), limit=asked.limit, offset=asked.offset)


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
    return Video(**{**row, **figures, "n_bytes": path.stat().st_size})


def _row(
    context: ServiceContext, loaded: LoadedIndex, video_id: str, similarity: float | None = None
) -> VideoRow:
    row = loaded.row(video_id)
    times_s = np.asarray(loaded.index.record(row).times_s)
    times_s = times_s[slice(*pane_spans(times_s)[0])]
    probe = loaded.index.probes[row]
    return VideoRow(
        id=video_id,
        duration_s=float(times_s[-1]) + sampling_period_s(times_s),
        n_frames=len(times_s),
        playable=context.video_folders.find(video_id) is not None,
        n_bytes=probe.n_bytes if probe else 0,
        width_px=probe.width_px if probe else 0,
        height_px=probe.height_px if probe else 0,
        version=int(loaded.index.row_versions[row]),
        similarity=similarity,
    )


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
