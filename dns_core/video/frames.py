"""The decoded frames of an open container, each with the time at which it is shown."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from dns_core.errors import VideoError
from dns_core.video.clock import Cell, Clock, SortedStamps, Spares, longest_gap_s
from dns_core.video.container import MAX_FRAME_PIXELS, describe
from dns_core.video.duration import is_cut_short, stated_duration_s
from dns_core.video.packets import readable_packets

_log = logging.getLogger(__name__)

# Whose decoders know by a packet alone whether other pictures refer to its own, and containers that say
# when a packet is shown (of an AVI, for one, FFmpeg guesses it, and not always rightly).
_SPARING_CODECS = frozenset({"h264", "mpeg2video", "mpeg4"})
_STAMPED_CONTAINERS = frozenset({"mp4", "matroska", "mpegts", "flv"})


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded picture, not yet rotated, and its presentation time in seconds.

    ``end_s`` is when it leaves the screen, unless another picture comes first.
    """

    time_s: float
    end_s: float
    picture: VideoFrame


def seek_before(container: InputContainer, stream: VideoStream, time_s: float) -> None:
    """Seek to the last key frame before ``time_s``, or to the start where none is known.

    Args:
        container: opened by `open_video`, nothing read of it yet.
        stream: the footage in it.
        time_s: of the first picture that is wanted.
    """
    if time_s <= 0 or stream.start_time is None or not stream.time_base:
        return  # without a start time the clock would take the first picture after the jump for time 0
    try:
        container.seek(stream.start_time + int(time_s / stream.time_base), stream=stream)
    except av.FFmpegError as error:
        _log.info("cannot jump to %.1f s, reading from the start: %s", time_s, describe(error))


def timed_frames(
    container: InputContainer, stream: VideoStream, path: Path, cell_of: Cell | None = None
) -> Iterator[TimedFrame]:
    """Every frame that can be decoded, in order of presentation, with strictly increasing times.

    Time 0 is the start of the video stream. Packets that cannot be decoded are skipped, as players do,
    and a file that ends in the middle yields what came before; either is logged as one warning, so a
    damaged archive is searched as far as it can be shown.

    Args:
        container: opened by `open_video`.
        stream: the footage in it.
        path: named in errors and in the log.
        cell_of: the cell of a time; frames of a cell but its first one may be left out, which are not decoded
            where no other picture refers to them. None keeps every frame.

    Raises:
        VideoError: ``corrupt`` if damage leaves not one frame, ``no_frames`` if there is none at all.
    """
    clock = Clock(stream, longest_gap_s(container))
    stated_s = stated_duration_s(container, stream) or 0.0
    damage: list[str] = []
    count, end_s = 0, 0.0
    spares = Spares(clock, cell_of) if cell_of and _may_spare(container, stream) else None
    for picture in _pictures(container, stream, path, damage, spares):
        count, time_s = count + 1, clock.read(picture)
        end_s = time_s + clock.length_s(picture)
        if time_s < stated_s < end_s:
            end_s = stated_s  # with reordering, lengths are those of other pictures
        yield TimedFrame(time_s, end_s, picture)
    if count == 0 and damage:
        raise VideoError("corrupt", f"{path}: nothing could be decoded: {damage[0]}{_limit_hint(stream)}")
    if count == 0:
        raise VideoError("no_frames", f"{path} holds a video stream without a frame")
    if not clock.jumped and is_cut_short(container, stream, path, end_s):
        damage.append(f"the picture ends after {end_s:.1f} of {stated_s:.1f} seconds")
    if damage:
        words = "; ".join(dict.fromkeys(damage))
        _log.warning("%s is damaged (%d errors: %s); %d frames were decoded", path, len(damage), words, count)


def _limit_hint(stream: VideoStream) -> str:
    """What else may be wrong: FFmpeg forgets the size of frames that it is not allowed to decode."""
    return "" if stream.width else f"; frames of more than {MAX_FRAME_PIXELS} px are refused"


def _pictures(
    container: InputContainer, stream: VideoStream, path: Path, damage: list[str], spares: Spares | None
) -> Iterator[VideoFrame]:
    sorted_stamps = SortedStamps(stream) if container.format.name == "avi" else None
    for packet in readable_packets(container, stream, path, damage):
        if spares:
            # In a damaged file any picture may have to stand in for a broken one.
            spared = spares(packet) and not damage
            stream.codec_context.skip_frame = "NONREF" if spared else "DEFAULT"
        if sorted_stamps and packet:
            sorted_stamps.add(packet)
        for picture in _decoded(packet, stream, damage):
            if sorted_stamps:
                sorted_stamps.stamp(picture)
            yield picture


def _decoded(
    packet: "Packet[VideoStream] | None", stream: VideoStream, damage: list[str]
) -> list[VideoFrame]:
    try:
        return stream.decode(packet)
    except av.FFmpegError as error:
        damage.append(describe(error))
        return []


def _may_spare(container: InputContainer, stream: VideoStream) -> bool:
    stamped = not _STAMPED_CONTAINERS.isdisjoint(container.format.name.split(","))
    return stamped and stream.codec_context.name in _SPARING_CODECS
