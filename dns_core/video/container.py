"""Opening a local file as a video, and nothing but that file.

FFmpeg reads far more than videos: playlists that name other files or the network, text files drawn
as terminal art, still images, numbered sequences. An archive holds files from unknown sources, so only the
demuxers listed here may run and only the ``file`` protocol may be used: a playlist can neither leak
a local file into the index nor call home.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from dns_core.errors import VideoError
from dns_core.video.boxes import has_movie
from dns_core.video.footage import footage_of

MAX_FRAME_PIXELS = 8192 * 8192
"""Frames with more pixels are refused as ``too_large``; 8K (7680 x 4320) is half of this."""

# Containers and elementary streams that hold everything they need. Audio formats are listed so that
# a song is told from a file that is damaged: it has "no_video_stream".
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,kux,asf,asf_o,ogg,mpegts,mpeg,mpegvideo,"
    "m4v,h261,h263,h264,hevc,vvc,av1,obu,ivf,evc,vc1,vc1test,cavsvideo,dirac,mxf,gxf,lxf,nut,nuv,nsv,rm,"
    "ivr,wtv,dv,dhav,gif,apng,jpegxl_anim,mjpeg,mpjpeg,smjpeg,yuv4mpegpipe,flic,bink,smk,roq,film_cpk,"
    "amv,swf,pva,ty,mlv,mtv,thp,viv,vivo,wav,mp3,flac,aac,ac3,eac3,amr,aiff,w64,caf,ape,wv,tta,dts,au"
)
_OPTIONS = {
    "format_whitelist": DEMUXERS,
    "protocol_whitelist": "file",
    "max_pixels": str(MAX_FRAME_PIXELS),
}

_HEAD_BYTES = 32
_WEBP_FLAGS, _WEBP_MOVES = 20, 2
_CONTAINER_SIGNATURES = (
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"),
    (0, b"\x1a\x45\xdf\xa3"), (8, b"AVI "), (0, b"FLV\x01"), (0, b"OggS"), (0, b"GIF8"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"),
    (0, b"\x06\x0e\x2b\x34"), (0, b".RMF"), (0, b"nut/multimedia"), (0, b"DKIF"),
)  # fmt: skip
_NO_VIDEOS = (
    (0, b"\xff\xd8\xff", "a still JPEG image"),
    (0, b"\x89PNG", "a still PNG image"),
    (0, b"BM", "a still BMP image"),
    (8, b"WEBP", "a WebP image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (4, b"JXL ", "a JPEG XL image"),
    (0, b"II*\x00", "a still TIFF image"),
    (0, b"MM\x00*", "a still TIFF image"),
    (0, b"#EXTM3U", "a playlist, which names other files instead of holding a video"),
    (0, b"ffconcat", "a playlist, which names other files instead of holding a video"),
)
# The families of brands of images, of which the animated ones are also films.
_IMAGE_BRANDS = (
    (4, b"ftypavi", "a still AVIF image"),
    (4, b"ftyphei", "a still HEIC image"),
    (4, b"ftyphev", "a still HEIC image"),
    (4, b"ftypmif", "a still HEIF image"),
    (4, b"ftypmsf", "a still HEIF image"),
)


@contextmanager
def open_video(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The opened container of a local file and the stream that is its film; see `footage_of`.

    The container is closed when the block ends.

    Args:
        path: a file in any container FFmpeg reads without needing another file.

    Raises:
        VideoError: ``missing``, ``not_a_file``, ``no_permission``, ``empty``, ``not_a_video``,
            ``no_video_stream``, ``encrypted``, ``corrupt`` or ``too_large``.
    """
    head = file_head(path)
    with _open_container(path, head) as container:
        yield container, _film(container, path)


def describe(error: av.FFmpegError) -> str:
    """FFmpeg's own short words for what went wrong."""
    return error.strerror or type(error).__name__


def file_head(path: Path) -> bytes:
    """The first bytes of a file.

    Raises:
        VideoError: ``missing``, ``not_a_file``, ``no_permission`` or ``empty``.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            # A pipe or a device would block for ever; a folder is never a video.
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            raise VideoError("not_a_file", f"{path} is {kind}")
        if status.st_size == 0:
            raise VideoError("empty", f"{path} has no content")
        with path.open("rb") as file:
            return file.read(_HEAD_BYTES)
    except PermissionError as error:
        raise VideoError("no_permission", f"{path} may not be read") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL byte
        raise VideoError("missing", f"{path} cannot be found: {error}") from error


def _open_container(path: Path, head: bytes) -> InputContainer:
    still = _kind(head, _IMAGE_BRANDS)
    if still and not has_movie(path):
        raise VideoError("not_a_video", f"{path} is {still}")
    try:
        # "file:" and an absolute path keep names like "concat:a.mp4" or "-" from meaning anything.
        url = "file:" + os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
        return av.open(url, mode="r", options=_OPTIONS, metadata_errors="replace")
    except av.FFmpegError as error:
        raise _opening_error(path, head, error) from error


def _opening_error(path: Path, head: bytes, error: av.FFmpegError) -> VideoError:
    if isinstance(error, PermissionError):
        return VideoError("no_permission", f"{path} may not be read")
    if isinstance(error, MemoryError):
        return VideoError("too_large", f"{path} needs more memory than there is")
    if any(head.startswith(signature, offset) for offset, signature in _CONTAINER_SIGNATURES):
        return VideoError("corrupt", f"{path} starts like a video but cannot be opened: {describe(error)}")
    kind = _kind(head, _NO_VIDEOS) or "in no video format known here"
    if head[8:16] == b"WEBPVP8X" and head[_WEBP_FLAGS] & _WEBP_MOVES:
        kind = "an animated WebP image, for which there is no decoder here"
    return VideoError("not_a_video", f"{path} is {kind}")


def _kind(head: bytes, signatures: tuple[tuple[int, bytes, str], ...]) -> str | None:
    return next((kind for offset, start, kind in signatures if head.startswith(start, offset)), None)


def _film(container: InputContainer, path: Path) -> VideoStream:
    stream = footage_of(container, path)
    if stream.width * stream.height > MAX_FRAME_PIXELS:
        size = f"{stream.width} x {stream.height} px"
        raise VideoError("too_large", f"{path} has frames of {size}; the limit is {MAX_FRAME_PIXELS} px")
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    return stream
