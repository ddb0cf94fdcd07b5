"""What a file says of itself, checked by decoding its first frame."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

from dns_core.records import VideoProbe
from dns_core.video.clock import average_fps
from dns_core.video.container import file_head, open_video
from dns_core.video.duration import shown_s
from dns_core.video.frames import timed_frames
from dns_core.video.picture import displayed_size, orientation, pixel_ratio


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a container says of its footage; the attributes are those of `dns_core.records.VideoProbe`."""

    duration_s: float
    fps: float
    width_px: int
    height_px: int
    codec: str
    rotation_deg: int


def stream_facts(path: Path) -> StreamFacts:
    """Length, rate, displayed size and codec of a video whose first frame can be decoded.

    How long it lasts is read as `dns_core.video.duration.shown_s` does.

    Args:
        path: the video.

    Raises:
        VideoError: the file cannot be used; see `dns_core.errors.VideoError`.
    """
    with open_video(path) as (container, stream):
        first = next(timed_frames(container, stream, path))
        width, height = displayed_size(first.picture, pixel_ratio(stream))
        rotation_deg = orientation(first.picture).rotation_deg
        fps, codec = average_fps(stream), stream.codec_context.codec.canonical_name
    return StreamFacts(shown_s(path), fps, width, height, codec, rotation_deg)


def probe_video(path: Path, video_id: str, sha256: str | None = None) -> VideoProbe:
    """`stream_facts` of a file with its size and digest.

    Args:
        path: the video.
        video_id: written into the record.
        sha256: as `content_digest`, if it is known.

    Raises:
        VideoError: the file cannot be used; see `dns_core.errors.VideoError`.
    """
    facts = asdict(stream_facts(path))
    digest = sha256 or content_digest(path)
    return VideoProbe(video_id=video_id, n_bytes=path.stat().st_size, sha256=digest, **facts)


def content_digest(path: Path) -> str:
    """Hex digits of the SHA-256 of a regular file that is not empty.

    Raises:
        VideoError: ``missing``, ``not_a_file``, ``no_permission`` or ``empty``.
    """
    file_head(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
