"""What a file says of itself, checked by decoding its first frame."""

import hashlib
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from dns_core.records import VideoProbe
from dns_core.video.container import open_video
from dns_core.video.frames import (
    USUAL_FPS,
    average_fps,
    readable_packets,
    stated_duration_s,
    timed_frames,
)
from dns_core.video.picture import displayed_size, orientation, pixel_ratio

_HASH_BLOCK_BYTES = 1 << 20
_MAX_COUNTED_PACKETS = 2_000_000  # 18 hours at 30 fps


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

    A container without a duration is read through, packet by packet and without decoding.

    Args:
        path: the video.

    Raises:
        VideoError: the file cannot be used; see `dns_core.errors.VideoError`.
    """
    with open_video(path) as (container, stream):
        first = next(timed_frames(container, stream, path))
        width, height = displayed_size(first.picture, pixel_ratio(stream))
        rotation_deg = orientation(first.picture).rotation_deg
        fps, codec = average_fps(stream), stream.codec_context.name
        duration_s = stated_duration_s(container, stream)
    if duration_s is None:
        duration_s = _counted_duration(path)
    return StreamFacts(duration_s, fps, width, height, codec, rotation_deg)


def probe_video(path: Path, video_id: str) -> VideoProbe:
    """`stream_facts` of a file with its size and digest.

    Args:
        path: the video.
        video_id: written into the record.

    Raises:
        VideoError: the file cannot be used; see `dns_core.errors.VideoError`.
    """
    facts = asdict(stream_facts(path))
    return VideoProbe(video_id=video_id, n_bytes=path.stat().st_size, sha256=_sha256(path), **facts)


def _counted_duration(path: Path) -> float:
    """Seconds from the first packet to the end of the last; packets times period if they bear no times."""
    count, first_s, end_s = 0, math.inf, -math.inf
    with open_video(path) as (container, stream):
        period_s = 1 / (average_fps(stream) or USUAL_FPS)
        for packet in readable_packets(container, stream, []):
            if packet is None or count == _MAX_COUNTED_PACKETS:
                break
            count += 1
            if packet.pts is not None and packet.time_base is not None:
                start_s = float(packet.pts * packet.time_base)
                length_s = float((packet.duration or 0) * packet.time_base) or period_s
                first_s, end_s = min(first_s, start_s), max(end_s, start_s + length_s)
    return end_s - first_s if end_s > first_s else count * period_s


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
