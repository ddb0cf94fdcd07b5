"""What several routes say of their answers and parameters in the OpenAPI."""

from typing import Annotated, Any

from fastapi import Path, Query

from dns_apps.service.problems import MEDIA_TYPE
from dns_apps.service.schemas import Problem

MAX_PAGE = 500
MAX_CLIP_S = 120.0
CLIP_SIDE_PX = 640

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows wanted at most.")]
Offset = Annotated[int, Query(ge=0, le=1 << 40, description="Rows to pass over.")]
Search = Annotated[str, Query(max_length=200, description="Part of an id, as it is written.")]
AtSeconds = Annotated[float, Query(ge=0, le=1e7, allow_inf_nan=False, description="Time in the video.")]
WidthPx = Annotated[int, Query(ge=16, le=1920, description="Longer side of the picture at most.")]
Side = Annotated[int, Query(ge=8, le=1024, description="Rows and columns of the matrix at most.")]
VideoPath = Annotated[
    str,
    Path(
        max_length=4096,
        description="Id of a video of the index: a path with slashes, which may stand as they are.",
        examples=["archive-022.mp4"],
    ),
]
QueryPath = Annotated[str, Path(max_length=64, examples=["0123456789abcdef01234567"])]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI's entries of problems; those that any request may meet are added."""
    described = {"model": Problem, "content": {MEDIA_TYPE: {}}}
    return dict.fromkeys(sorted({400, 401, 403, 413, 421, 422, 500, *statuses}), described)


def media(kind: str, description: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI's entry of an answer that is a file."""
    schema = {"type": "string", "format": "binary"}
    return {200: {"description": description, "content": {kind: {"schema": schema}}}}
