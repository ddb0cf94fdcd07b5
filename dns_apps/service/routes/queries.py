"""``/v1/queries``: searching with a video."""

import asyncio
import re
from concurrent.futures import Future
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from starlette.requests import Request

from dns_apps.service.access import Context, require
from dns_apps.service.context import ServiceContext
from dns_apps.service.refusals import RefusalError, not_found
from dns_apps.service.routes import viewing
from dns_apps.service.routes.openapi import (
    AtSeconds,
    Limit,
    Offset,
    QueryPath,
    Side,
    VideoPath,
    WidthPx,
    media,
    problems,
)
from dns_apps.service.routes.read_query import REQUEST_BODY, read_query
from dns_apps.service.routes.search_again import new_search
from dns_apps.service.schemas import (
    Comparison,
    Page,
    Query,
    QueryOptions,
    QuerySummary,
    StoredExcerpt,
    TitleRequest,
)

router = APIRouter(prefix="/v1/queries", tags=["queries"], dependencies=[Depends(require("query"))])

_PATIENCE_S = 10.0
_MOST_PATIENCE_S = 60.0
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,4})\b")


@router.post(
    "",
    summary="Search with a video",
    responses={
        202: {"model": Query, "description": "The work continues; ask for the query again."},
        **problems(404, 408, 415, 429, 503, 507),
    },
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def create(
    request: Request,
    response: Response,
    context: Context,
    prefer: Annotated[
        str | None,
        Header(description="RFC 7240: `wait=SECONDS` (up to 60, 10 without it) or `respond-async`."),
    ] = None,
) -> Query:
    """Search the index with an uploaded video, or with a stretch of a stored one.

    The answer stands in the reply if it is found soon enough; else the status is 202, and the query is to be
    asked for until its state is `done` or `failed`.
    """
    context.query_jobs.admit().release()  # who would be told to come back need send no video
    await asyncio.to_thread(context.live_index.current)
    query = await read_query(request, context)
    future = context.query_jobs.take_in(query)
    response.headers["Location"] = f"/v1/queries/{query.id}"
    return await _answered(context, future, query, _patience(prefer or ""), response)


@router.get("", summary="Recent queries", responses=problems())
def recent(context: Context, limit: Limit = 50, offset: Offset = 0) -> Page[QuerySummary]:
    """Queries, the newest first."""
    queries, total = context.query_jobs.page(limit, offset)
    return Page(items=tuple(map(_summary, queries)), total=total, limit=limit, offset=offset)


@router.get("/{query_id}", summary="A query", responses=problems(404))
def read(query_id: QueryPath, context: Context) -> Query:
    """A query as it stands: its state, how far it has come, and its answer."""
    return context.query_jobs.get(query_id)


@router.patch("/{query_id}", summary="Name a query", responses=problems(404, 409, 503, 507))
def rename(query_id: QueryPath, request: TitleRequest, context: Context) -> Query:
    """A query that has a title is kept with its video until the title is taken back or it is deleted."""
    return context.query_jobs.put_title(query_id, request.title)


@router.post(
    "/{query_id}/again",
    summary="Search again with other options",
    responses={
        202: {"model": Query, "description": "The work continues; ask for the query again."},
        **problems(404, 409, 429, 503, 507),
    },
)
async def again(
    query_id: QueryPath, options: QueryOptions, response: Response, context: Context,
    prefer: Annotated[str | None, Header(description="As for a new query.")] = None,
) -> Query:  # fmt: skip
    """A new query by the same video, which need not be sent again; the other stays as it is."""
    query = await asyncio.to_thread(new_search, context, query_id, options)
    future = context.query_jobs.take_in(query)
    response.headers["Location"] = f"/v1/queries/{query.id}"
    return await _answered(context, future, query, _patience(prefer or ""), response)


@router.delete("/{query_id}", status_code=204, summary="Stop and forget a query", responses=problems(404))
def delete(query_id: QueryPath, context: Context) -> None:
    """Stop the query if it runs, and delete it with its video; its labels stay."""
    context.query_jobs.delete(query_id)


@router.get(
    "/{query_id}/matches/{video_id:path}",
    summary="A match, frame by frame",
    responses=problems(404, 409, 429, 503),
)
def match(query_id: QueryPath, video_id: VideoPath, context: Context, max_side: Side = 256) -> Comparison:
    """How the query's video and one of the index are alike: similarity of frames, alignment, segments."""
    fine = context.query_jobs.get(query_id).options.fine
    loaded = context.live_index.current()
    loaded.row(video_id)
    with context.viewing_slots.take():
        features = context.query_jobs.features(loaded, query_id)
        return context.query_runner.compared(
            loaded, fine, (features, StoredExcerpt(video_id=video_id)), max_side
        )


@router.get(
    "/{query_id}/thumbnail",
    response_class=Response,
    summary="A picture of the query's video",
    responses=media("image/jpeg", "A JPEG.") | problems(404, 429),
)
def thumbnail(
    query_id: QueryPath, context: Context, at_s: AtSeconds = 0.0, width_px: WidthPx = 320
) -> Response:
    """A JPEG of one moment of the query's video."""
    return viewing.thumbnail(context, context.query_jobs.file(query_id), at_s, width_px)


@router.get(
    "/{query_id}/preview",
    response_class=Response,
    summary="A clip of the query's video",
    responses=media("video/mp4", "H.264 without sound.") | problems(404, 429),
)
def preview(query_id: QueryPath, context: Context, stop_s: AtSeconds, start_s: AtSeconds = 0.0) -> Response:
    """A stretch of the query's video, up to two minutes, as any browser plays it."""
    return viewing.preview(context, context.query_jobs.file(query_id), start_s, stop_s)


@router.get(
    "/{query_id}/file",
    response_class=Response,
    summary="The query's video",
    responses=media("video/*", "The file; ranges of bytes are understood.") | problems(404, 416),
)
def file(query_id: QueryPath, context: Context) -> Response:
    """The video as it was uploaded, or as it is stored."""
    return viewing.content(context.query_jobs.file(query_id), context.query_jobs.get(query_id).name)


async def _answered(
    context: ServiceContext, future: Future[Query], query: Query, patience_s: float, response: Response
) -> Query:
    try:
        found = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), patience_s)
    except TimeoutError:
        response.status_code = 202
        return context.query_jobs.get(query.id)
    if found.state == "failed" and found.problem is not None:
        detail, reason = found.problem.detail, found.problem.reason
        raise RefusalError(found.problem.status, detail, reason=reason)
    if found.state != "done":
        raise not_found("the query was deleted while it was worked on")
    return context.query_store.labelled(found)


def _patience(prefer: str) -> float:
    """Seconds that a client is willing to wait."""
    if found := _WAIT.search(prefer):
        return min(_MOST_PATIENCE_S, float(found[1]))
    return 0.0 if "respond-async" in prefer else _PATIENCE_S


def _summary(query: Query) -> QuerySummary:
    matches = query.answer.matches if query.answer else ()
    return QuerySummary(
        id=query.id,
        name=query.name,
        title=query.title,
        state=query.state,
        progress=query.progress,
        created_at=query.created_at,
        n_matches=len(matches),
        best=matches[0].video_id if matches else "",
        best_score=matches[0].score if matches else 0.0,
    )
