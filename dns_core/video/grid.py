"""A grid of time: which frames are sampled, and what is on the screen where none begins."""

import math
from collections.abc import Iterator

from dns_core.video.frames import TimedFrame

# Matroska rounds times to 1 ms; a frame that was shot on the grid must not miss it by rounding.
_TOLERANCE_S = 1e-3
# A few bytes can ask for a picture to be held for days.
_LONGEST_HELD_S = 3600.0


class Grid:
    """The times k / fps from a start on.

    Args:
        fps: grid times a second.
        start_s: frames shown before are left out.
    """

    def __init__(self, fps: float, start_s: float = 0.0) -> None:
        self._fps = fps
        self._start_s = start_s
        self._next = 0

    def cell_of(self, time_s: float) -> int:
        """The number of the last grid time; -1 before the start."""
        moved_s = time_s + _TOLERANCE_S
        return math.floor(moved_s * self._fps) if moved_s >= self._start_s else -1

    def takes(self, time_s: float) -> bool:
        """Whether the frame shown at ``time_s`` is sampled; times must be asked in rising order."""
        reached = self.cell_of(time_s)
        if reached < self._next:
            return False
        self._next = reached + 1
        return True

    def sampled(self, frames: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """For each grid time the first frame shown from then on, before the next grid time.

        Where there is none, it is the picture that is on the screen, at the grid time itself; one that stays
        for more than an hour is repeated for an hour. The last one stays until its ``end_s``.
        """
        shown: TimedFrame | None = None
        self._next = max(0, self.cell_of(self._start_s))
        for frame in frames:
            if shown is not None:
                yield from self._held(shown, self.cell_of(frame.time_s))
            if self.takes(frame.time_s):
                yield frame
            shown = frame
        if shown is not None:
            yield from self._held(shown, math.ceil((shown.end_s - _TOLERANCE_S) * self._fps))

    def _held(self, shown: TimedFrame, stop: int) -> Iterator[TimedFrame]:
        """The picture on the screen at each grid time from the next one to ``stop`` (exclusive)."""
        stop = min(stop, self.cell_of(shown.time_s + _LONGEST_HELD_S))
        while self._next < stop:
            time_s = max(self._next / self._fps, self._start_s)
            self._next += 1
            yield TimedFrame(time_s, shown.end_s, shown.picture)
