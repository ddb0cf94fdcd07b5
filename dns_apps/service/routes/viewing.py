"""Pictures, clips and files of videos, the same for stored ones and for those of queries."""

import mimetypes
from http import HTTPStatus
from pathlib import Path

from fastapi import Response
from starlette.responses import FileResponse

from dns_apps.service.context import ServiceContext
from dns_apps.service.refusals import RefusalError
from dns_apps.service.routes.openapi import CLIP_SIDE_PX, MAX_CLIP_S

_KEPT_FOR = {"Cache-Control": "private, max-age=3600"}


def thumbnail(context: ServiceContext, file: Path, at_s: float, width_px: int) -> Response:
    """A JPEG of one moment."""
    with context.viewing_slots.take():
        return Response(
            context.viewing.picture(file, at_s, width_px), media_type="image/jpeg", headers=_KEPT_FOR
        )


def preview(context: ServiceContext, file: Path, start_s: float, stop_s: float) -> Response:
    """An MP4 of a stretch that any browser plays.

    Raises:
        RefusalError: the stretch is empty or longer than two minutes (422).
    """
    if not 0 < stop_s - start_s <= MAX_CLIP_S:
        expected = f"expected a stretch of up to {MAX_CLIP_S:g} s"
        raise RefusalError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{expected}, found {start_s:g} to {stop_s:g} s",
            reason="invalid",
        )
    with context.viewing_slots.take():
        clip = context.viewing.clip(file, start_s, stop_s, CLIP_SIDE_PX)
    return Response(clip, media_type="video/mp4", headers=_KEPT_FOR)


def content(file: Path, name: str) -> Response:
    """The file as it is, whole or the ranges of bytes that are asked for."""
    kind, _ = mimetypes.guess_type(name)
    # What does not pass for a video by its name is never shown as anything else.
    kind = kind if kind and kind.startswith("video/") else "application/octet-stream"
    return FileResponse(file, media_type=kind, headers=_KEPT_FOR)
