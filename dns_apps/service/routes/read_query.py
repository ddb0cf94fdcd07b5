"""Reading a query from a request: a form with a video, or JSON that names a stored one."""

import asyncio
import shutil
from collections.abc import AsyncGenerator
from http import HTTPStatus
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from dns_apps.service.context import ServiceContext
from dns_apps.service.refusals import RefusalError, no_room, not_found
from dns_apps.service.schemas import Query, QueryOptions, StoredQuery, TimeRange, UploadForm
from dns_core.retrieval.budget import Budget
from dns_ops.settings import make_private_file

_FILE = "video"
_MAX_FIELD_BYTES = 4096
_MAX_NAME = 200

_FORM = {
    "type": "object",
    "required": [_FILE],
    "properties": {
        _FILE: {"type": "string", "format": "binary", "description": "A video file."},
        **UploadForm.model_json_schema()["properties"],
    },
    "additionalProperties": False,
}
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/StoredQuery"},
            "examples": {
                "stored": {
                    "summary": "A stretch of a stored video",
                    "value": {
                        "video": {"video_id": "archive-022.mp4", "start_s": 5, "stop_s": 15},
                        "options": {"budget": "50ms", "top_k": 5},
                    },
                }
            },
        },
        "multipart/form-data": {"schema": _FORM},
    },
}
"""Of the OpenAPI."""

M = TypeVar("M", bound=BaseModel)


async def read_query(request: Request, context: ServiceContext) -> Query:
    """The query that a request asks, its video kept if it brings one.

    Raises:
        RequestValidationError: a field is missing, unknown or out of range (422).
        RefusalError: it is neither a form nor JSON (415), too large (413), or names no stored video (404).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _stored(_validated(StoredQuery, await request.body()), context)
    if kind == "multipart/form-data":
        return await _uploaded(request, context)
    expected = "expected multipart/form-data with a video, or application/json"
    raise RefusalError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"{expected}, found {kind[:100] or 'no content type'}"
    )


def _stored(asked: StoredQuery, context: ServiceContext) -> Query:
    _check(asked.options, context)
    context.live_index.current().row(asked.video.video_id)
    if context.video_folders.find(asked.video.video_id) is None:
        raise not_found("the file of the video is in none of the service's video folders")
    return context.query_jobs.new(asked.video.video_id, asked.video, asked.options)


async def _uploaded(request: Request, context: ServiceContext) -> Query:
    limit = context.settings.max_upload_bytes
    stated = request.headers.get("content-length", "")
    if not context.query_jobs.has_room(int(stated) if stated.isdecimal() else 0):
        raise no_room()
    parser = MultiPartParser(
        request.headers, _chunks(request), max_files=1, max_fields=16, max_part_size=_MAX_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {error.message}") from error
    try:
        video = form.get(_FILE)
        asked = _validated(UploadForm, {k: v for k, v in form.items() if k != _FILE})
        options = QueryOptions(**asked.model_dump(include=set(QueryOptions.model_fields)))
        _check(options, context)
        if not isinstance(video, UploadFile):
            raise _invalid(_FILE, "expected a file in this field")
        if (video.size or 0) > limit:
            detail = f"a video may have {limit} bytes, this one has {video.size}"
            raise RefusalError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, reason="too_large")
        part = TimeRange(start_s=asked.start_s, stop_s=asked.stop_s)
        query = context.query_jobs.new(_shown_name(video.filename or ""), part, options)
        await asyncio.to_thread(_keep, video, context, query)
        return query
    finally:
        await form.close()


async def _chunks(request: Request) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise RefusalError(HTTPStatus.BAD_REQUEST, "the upload broke off", reason="incomplete") from error


def _keep(video: UploadFile, context: ServiceContext, query: Query) -> None:
    path = context.query_jobs.upload_path(query.id)
    try:
        with make_private_file(path).open("wb") as kept:
            shutil.copyfileobj(video.file, kept, 1 << 20)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check(options: QueryOptions, context: ServiceContext) -> None:
    """Refuse a budget that is none, and a network that the index does not serve, before any work."""
    Budget.parse(options.budget)
    context.live_index.current().engine(options.fine)


def _shown_name(name: str) -> str:
    """The last part of a file's name, without what a terminal or a page would obey."""
    last = PurePosixPath(PureWindowsPath(name).name).name
    return "".join(c if c.isprintable() else "?" for c in last)[:_MAX_NAME] or "upload"


def _validated(kind: type[M], content: bytes | dict[str, Any]) -> M:
    try:
        return (
            kind.model_validate_json(content) if isinstance(content, bytes) else kind.model_validate(content)
        )
    except ValidationError as error:
        raise RequestValidationError(
            [{**row, "loc": ("body", *row["loc"])} for row in error.errors(include_url=False)]
        ) from error


def _invalid(field: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body", field), "msg": message, "type": "value_error"}])
