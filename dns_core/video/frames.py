"""The decoded frames of an open container, each with the time at which it is shown."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from dns_core.errors import VideoError
from dns_core.video.container import MAX_FRAME_PIXELS, describe

_log = logging.getLogger(__name__)

USUAL_FPS = 25.0
"""Assumed where a container states no plausible rate."""
_DISCONTINUITY_S = 1.0
_MAX_PLAUSIBLE_FPS = 1000.0
# Whose decoders know by a packet alone whether other pictures refer to its own, and containers that say
# when a packet is shown (of an AVI, for one, FFmpeg guesses it, and not always rightly).
_SPARING_CODECS = frozenset({"h264", "mpeg2video", "mpeg4"})
_STAMPED_CONTAINERS = frozenset({"mp4", "matroska", "mpegts", "flv"})
# More than packets are early or late by.
_KNOWN_CELLS = 64
# A file is called cut short when the picture misses a tenth and a second of what was stated.
_CUT_SHARE = 0.9
_CUT_S = 1.0

Cell = Callable[[float], int]
"""Seconds to the number of the cell of time in which they lie."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A decoded picture, not yet rotated, and its presentation time in seconds."""

    time_s: float
    picture: VideoFrame


def average_fps(stream: VideoStream) -> float:
    """Frames a second that the container claims or FFmpeg guesses; 0 if neither is plausible."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= _MAX_PLAUSIBLE_FPS:
            return float(rate)
    return 0.0


def stated_duration_s(container: InputContainer, stream: VideoStream) -> float | None:
    """Seconds that the container claims for the stream, or for the file; None if it does not say."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if container.duration and container.duration > 0:
        return container.duration / av.time_base
    return None


def seek_before(container: InputContainer, stream: VideoStream, time_s: float) -> None:
    """`timed_frames` begins at the last key frame before ``time_s``, or at the start where none is known.

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
    clock = _Clock(stream)
    damage: list[str] = []
    count, time_s = 0, 0.0
    spares = _Spares(clock, cell_of) if cell_of and _may_spare(container, stream) else None
    for picture in _pictures(container, stream, damage, spares):
        count, time_s = count + 1, clock.read(picture)
        yield TimedFrame(time_s, picture)
    if count == 0 and damage:
        raise VideoError("corrupt", f"{path}: nothing could be decoded: {damage[0]}{_limit_hint(stream)}")
    if count == 0:
        raise VideoError("no_frames", f"{path} holds a video stream without a frame")
    stated_s = stated_duration_s(container, stream) or 0.0
    if time_s < _CUT_SHARE * stated_s - _CUT_S:
        damage.append(f"the picture ends after {time_s:.1f} of {stated_s:.1f} seconds")
    if damage:
        words = "; ".join(dict.fromkeys(damage))
        _log.warning("%s is damaged (%d errors: %s); %d frames were decoded", path, len(damage), words, count)


def _limit_hint(stream: VideoStream) -> str:
    """What else may be wrong: FFmpeg forgets the size of frames that it is not allowed to decode."""
    return "" if stream.width else f"; frames of more than {MAX_FRAME_PIXELS} px are refused"


def readable_packets(
    container: InputContainer, stream: VideoStream, damage: list[str]
) -> "Iterator[Packet[VideoStream] | None]":
    """The packets of a stream, then None, which flushes the decoder; a break ends them and is noted.

    Args:
        container: opened by `open_video`.
        stream: of which the packets are.
        damage: a description is appended if the container breaks.
    """
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.FFmpegError as error:
            damage.append(describe(error))
            break
        if packet.size:  # FFmpeg's own flushing packet is empty
            yield packet
    yield None


def _pictures(
    container: InputContainer, stream: VideoStream, damage: list[str], spares: "_Spares | None"
) -> Iterator[VideoFrame]:
    for packet in readable_packets(container, stream, damage):
        if spares:
            # In a damaged file any picture may have to stand in for a broken one.
            spared = spares(packet) and not damage
            stream.codec_context.skip_frame = "NONREF" if spared else "DEFAULT"
        yield from _decoded(packet, stream, damage)


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


class _Spares:
    """Says which packets hold a picture that nobody misses: an earlier one of its cell is known.

    Packets are not waited for: what is shown first may come later, and then both are decoded. After a jump
    of the stamps nothing is spared.
    """

    def __init__(self, clock: "_Clock", cell_of: Cell) -> None:
        self._clock, self._cell_of = clock, cell_of
        self._first_s: dict[int, float] = {}
        self._latest_s = 0.0
        self._jumped = False

    def __call__(self, packet: "Packet[VideoStream] | None") -> bool:
        time_s = None if packet is None or packet.is_discard else self._clock.expected_s(packet)
        if time_s is None:
            return False
        self._jumped |= time_s < self._latest_s - _DISCONTINUITY_S
        self._latest_s = max(self._latest_s, time_s)
        cell = self._cell_of(time_s)
        first_s = self._first_s.setdefault(cell, time_s)
        self._first_s[cell] = min(first_s, time_s)
        if len(self._first_s) > _KNOWN_CELLS:
            del self._first_s[next(iter(self._first_s))]
        return time_s > first_s and not self._jumped


class _Clock:
    """Turns timestamps, present or not, into seconds that only increase.

    A frame without a stamp comes one average period after the last. A stamp that jumps back by more
    than a second (joined recordings, a counter that wrapped) starts a new stretch of the same time line.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._period_s = 1.0 / (average_fps(stream) or USUAL_FPS)
        # Not the picture's own time base: PyAV leaves it unset on pictures that flushing brings out.
        self._tick_s = float(stream.time_base or 1 / 90_000)
        self._start_s = None if stream.start_time is None else stream.start_time * self._tick_s
        self._last_s: float | None = None
        self._shift_s = -(self._start_s or 0.0)
        self._rising = True

    def read(self, picture: VideoFrame) -> float:
        """Seconds from the start of the stream at which ``picture`` is shown."""
        stamp_s = None if picture.pts is None else picture.pts * self._tick_s
        time_s = self._first(stamp_s) if self._last_s is None else self._next(stamp_s, self._last_s)
        self._last_s = time_s
        return time_s

    def expected_s(self, packet: "Packet[VideoStream]") -> float | None:
        """When the picture of a packet will be shown; None if stamps are missing or did not rise."""
        if packet.pts is None or self._last_s is None or not self._rising:
            return None
        return packet.pts * self._tick_s + self._shift_s

    def _first(self, stamp_s: float | None) -> float:
        if stamp_s is None:
            return 0.0
        start_s = stamp_s if self._start_s is None else min(self._start_s, stamp_s)
        self._shift_s = -start_s
        return stamp_s - start_s

    def _next(self, stamp_s: float | None, last_s: float) -> float:
        due_s = last_s + self._period_s
        time_s = last_s if stamp_s is None else stamp_s + self._shift_s
        if time_s > last_s:
            return time_s
        if time_s < last_s - _DISCONTINUITY_S:
            self._shift_s += due_s - time_s
        self._rising = False
        return due_s
