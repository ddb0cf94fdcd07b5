"""The time line of a stream: stamps, present or not, as seconds that only increase."""

from collections import deque
from collections.abc import Callable

from av.container import InputContainer
from av.format import Flags
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

USUAL_FPS = 25.0
"""Assumed where a container states no plausible rate."""
_MAX_PLAUSIBLE_FPS = 1000.0
DISCONTINUITY_S = 1.0
"""A stamp that lies further back belongs to a clock that was reset."""
# FFmpeg closes longer jumps forward: in streams whose clock may restart at any time, and elsewhere.
_GAP_S = 10.0
_LONGEST_GAP_S = 30 * 3600.0
# More than packets are early or late by.
_KNOWN_CELLS = 64

Cell = Callable[[float], int]
"""Seconds to the number of the cell of time in which they lie."""


def average_fps(stream: VideoStream) -> float:
    """Frames a second that the container claims or FFmpeg guesses; 0 if neither is plausible."""
    for rate in (stream.average_rate, stream.guessed_rate):
        if rate is not None and 0 < rate <= _MAX_PLAUSIBLE_FPS:
            return float(rate)
    return 0.0


def is_reset_at_will(container: InputContainer) -> bool:
    """Whether the clock of this kind of container may restart at any time, as that of broadcasts."""
    return bool(Flags(container.format.flags) & Flags.ts_discont)


def longest_gap_s(container: InputContainer) -> float:
    """Seconds between two pictures from which a jump of the stamps is no pause, but a clock reset."""
    return _GAP_S if is_reset_at_will(container) else _LONGEST_GAP_S


class Clock:
    """Turns timestamps, present or not, into seconds that only increase.

    A frame without a stamp comes one average period after the last. A stamp that jumps back by more
    than a second, or ahead by more than ``gap_s`` (joined recordings, a counter that wrapped), starts a
    new stretch of the same time line.

    Args:
        stream: whose stamps are read.
        gap_s: as `longest_gap_s`.

    Attributes:
        jumped: whether the time line has had a new stretch.
    """

    def __init__(self, stream: VideoStream, gap_s: float) -> None:
        self._period_s = 1.0 / (average_fps(stream) or USUAL_FPS)
        self._gap_s = gap_s
        # Not the picture's own time base: PyAV leaves it unset on pictures that flushing brings out.
        self._tick_s = float(stream.time_base or 1 / 90_000)
        self._start_s = None if stream.start_time is None else stream.start_time * self._tick_s
        self._last_s: float | None = None
        self._shift_s = -(self._start_s or 0.0)
        self._rising = True
        self.jumped = False

    def read(self, picture: VideoFrame) -> float:
        """Seconds from the start of the stream at which ``picture`` is shown."""
        stamp_s = None if picture.pts is None else picture.pts * self._tick_s
        time_s = self._first(stamp_s) if self._last_s is None else self._next(stamp_s, self._last_s)
        self._last_s = time_s
        return time_s

    def length_s(self, picture: VideoFrame) -> float:
        """Seconds for which ``picture`` is shown, says the container; the average period if it does not."""
        return min((picture.duration or 0) * self._tick_s, self._gap_s) or self._period_s

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
        if last_s < time_s <= last_s + self._gap_s:
            return time_s
        if not -DISCONTINUITY_S <= time_s - last_s <= self._gap_s:
            self._shift_s += due_s - time_s
            self.jumped = True
        self._rising = False
        return due_s


class SortedStamps:
    """When pictures are shown, in a container that says only when packets are decoded (AVI).

    Pictures come out as they are shown, so that each takes the earliest stamp that is left; one that gave no
    picture (a packet that only says that nothing changes) is passed over.
    """

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        self._stamps: deque[int] = deque()

    def add(self, packet: "Packet[VideoStream]") -> None:
        """Note that the decoder is given ``packet``."""
        if packet.dts is not None:
            self._stamps.append(packet.dts)

    def stamp(self, picture: VideoFrame) -> None:
        """Set the time of a ``picture`` that the decoder returns."""
        if picture.dts is not None:
            early = sum(stamp <= picture.dts for stamp in self._stamps)
            for _ in range(early - self._context.reorder_depth - 1):
                self._stamps.popleft()
        if self._stamps:
            picture.pts = self._stamps.popleft()


class Spares:
    """Tells which packets hold a picture that is not needed: an earlier one of its cell is known.

    A picture after which nothing is known to be shown soon may stay on the screen, and is kept. Packets are
    not waited for: what is shown first may come later, and then both are decoded. After a jump of the stamps
    nothing is spared.
    """

    def __init__(self, clock: Clock, cell_of: Cell) -> None:
        self._clock, self._cell_of = clock, cell_of
        self._first_s: dict[int, float] = {}
        self._latest_s = 0.0
        self._jumped = False

    def __call__(self, packet: "Packet[VideoStream] | None") -> bool:
        """Whether the picture of ``packet`` need not be decoded."""
        time_s = None if packet is None or packet.is_discard else self._clock.expected_s(packet)
        if time_s is None:
            return False
        self._jumped |= time_s < self._latest_s - DISCONTINUITY_S
        self._latest_s = max(self._latest_s, time_s)
        cell = self._cell_of(time_s)
        first_s = self._first_s.setdefault(cell, time_s)
        self._first_s[cell] = min(first_s, time_s)
        if len(self._first_s) > _KNOWN_CELLS:
            del self._first_s[next(iter(self._first_s))]
        is_followed = time_s < self._latest_s and self._cell_of(self._latest_s) <= cell + 1
        return time_s > first_s and is_followed and not self._jumped
