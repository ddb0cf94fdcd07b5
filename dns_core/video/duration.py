"""How long a video lasts: what its container claims, and what its packets say."""

import math
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from dns_core.video.clock import DISCONTINUITY_S, USUAL_FPS, average_fps, is_reset_at_will, longest_gap_s
from dns_core.video.container import open_video
from dns_core.video.packets import readable_packets

_MAX_COUNTED_PACKETS = 2_000_000  # 18 hours at 30 fps
# A file is called cut short when the picture misses a tenth and a second of what was stated.
_CUT_SHARE = 0.9
_CUT_S = 1.0
# Where a clock may be reset, the first and the last stamp do not say how long a file is. A short one is
# read; a long one only if a second of it would take less than this.
_SOON_READ_BYTES = 64 << 20
_LEAST_BYTES_PER_S = 8_000


def stated_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds that the container claims for the stream, or for the file; None if it does not say."""
    stated_s = _of_stream(stream)
    return _of_container(container) if stated_s is None else stated_s


def shown_s(path: Path) -> float:
    """Seconds from the first picture of the footage to the end of the last one; nothing is decoded.

    It is what the container claims of the stream. Where it claims nothing, or nothing plausible, the packets
    are read: the last ones if the length of the whole file is known, else all.

    Args:
        path: the video.

    Raises:
        VideoError: the file cannot be opened, or is encrypted.
    """
    n_bytes = path.stat().st_size
    with open_video(path) as (container, stream):
        found_s = _of_stream(stream)
        if found_s is None and (whole_s := _of_container(container)):
            found_s = _last_end_s(container, stream, path, whole_s)
        doubtful = is_reset_at_will(container) and (
            n_bytes < _SOON_READ_BYTES or n_bytes < _LEAST_BYTES_PER_S * (found_s or 0.0)
        )
    return _counted_s(path) if found_s is None or doubtful else found_s


def is_cut_short(container: InputContainer, stream: VideoStream, path: Path, end_s: float) -> bool:
    """Whether a picture that ends at ``end_s`` ends before it should: the rest of the file is not there.

    What a container claims of the whole file may be the length of its sound.
    """
    stated_s = _of_stream(stream)
    if stated_s is not None:
        return end_s < _CUT_SHARE * stated_s - _CUT_S
    least_s = _CUT_SHARE * (_of_container(container) or 0.0) - _CUT_S
    return end_s < least_s and not _any_reaches(path, least_s)


def _of_stream(stream: VideoStream) -> float | None:
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


def _of_container(container: InputContainer) -> float | None:
    return container.duration / av.time_base if container.duration and container.duration > 0 else None


def _any_reaches(path: Path, least_s: float) -> bool:
    """Whether a packet of any stream lies at ``least_s`` or later."""
    with open_video(path) as (container, _):
        try:
            return any(
                packet.pts is not None and packet.pts * packet.time_base >= least_s
                for packet in container.demux()
            )
        except av.FFmpegError:
            return False


def _last_end_s(container: InputContainer, stream: VideoStream, path: Path, whole_s: float) -> float | None:
    """When the last packet of the stream ends, found by a jump to the end of the file; None if it fails."""
    if len(container.streams) == 1 and not stream.start_time:
        return whole_s
    if stream.start_time is None or not stream.time_base:
        return None
    try:
        container.seek(stream.start_time + int(whole_s / stream.time_base), stream=stream)
    except av.FFmpegError:
        return None
    end = 0
    for packet in readable_packets(container, stream, path, []):
        if packet is not None and packet.pts is not None:
            end = max(end, packet.pts + (packet.duration or 0) - stream.start_time)
    return float(end * stream.time_base) or None


def _counted_s(path: Path) -> float:
    """Seconds that the packets of the footage take; those without stamps a period each."""
    count, first_s, end_s, shift_s = 0, math.nan, -math.inf, 0.0
    with open_video(path) as (container, stream):
        period_s = 1 / (average_fps(stream) or USUAL_FPS)
        gap_s = longest_gap_s(container)
        for packet in readable_packets(container, stream, path, []):
            if packet is None or count == _MAX_COUNTED_PACKETS:
                break
            count += 1
            if packet.pts is None or packet.time_base is None:
                continue
            start_s = float(packet.pts * packet.time_base) + shift_s
            if count > 1 and not -DISCONTINUITY_S <= start_s - end_s <= gap_s:
                shift_s, start_s = shift_s + end_s - start_s, end_s
            length_s = float((packet.duration or 0) * packet.time_base) or period_s
            first_s = start_s if math.isnan(first_s) else min(first_s, start_s)
            end_s = max(end_s, start_s + length_s)
    return end_s - first_s if end_s > first_s else count * period_s
