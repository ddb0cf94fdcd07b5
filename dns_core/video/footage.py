"""Which of the streams of a container is the film."""

from pathlib import Path

from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from dns_core.errors import VideoError
from dns_core.video.encryption import is_encrypted

# The last two need the stream that they add to: the second eye, or more layers.
_NO_FILM = (
    Disposition.attached_pic
    | Disposition.still_image
    | Disposition.timed_thumbnails
    | Disposition.dependent
    | Disposition.multilayer
)


def footage_of(container: InputContainer, path: Path, *, stream: bool = False) -> VideoStream:
    """The stream that players show: what is flagged as default, holds more than a picture, is the largest.

    Covers, thumbnails and streams that only add to another are no films. Among the others FFmpeg's choice
    holds; if that cannot be decoded, the default one, then the largest, then the first.

    Args:
        container: opened.
        path: of the file.
        stream: the container is no file, so that its path names it only.

    Raises:
        VideoError: ``no_video_stream``, or ``encrypted``.
    """
    films = [stream for stream in container.streams.video if not stream.disposition & _NO_FILM]
    # The stubs promise a context; a codec that FFmpeg cannot decode has none.
    readable = [stream for stream in films if getattr(stream, "codec_context", None) is not None]
    if not stream and is_encrypted(container, path, readable):
        raise VideoError("encrypted", f"{path} is encrypted and cannot be decoded without its key")
    if not films:
        raise VideoError("no_video_stream", f"{path} holds no video stream")
    if not readable:
        raise VideoError("no_video_stream", f"{path} holds video in a codec that cannot be decoded")
    best = container.streams.best("video")
    return next(
        (stream for stream in readable if best and stream.index == best.index), max(readable, key=_rank)
    )


def _rank(stream: VideoStream) -> tuple[bool, int, int]:
    is_default = bool(stream.disposition & Disposition.default)
    return is_default, stream.width * stream.height, -stream.index
