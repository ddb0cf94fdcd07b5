"""Panes: what is described of a video besides the whole picture, window by window."""

from collections.abc import Callable, Iterator

from dns_core.features.windows import MOST_WINDOWS, Window, cut_out, find_windows
from dns_core.records import Float32Array, Float64Array, UInt8Array

# Fewer do not tell a line that stands still from one that happens to be in the picture.
_LEAST_FRAMES = 4
_SAME = 0.5  # overlap of a window with the one of the frames before

Batch = tuple[Float32Array, Float64Array]
"""Regions ``[N, R, D]`` and times ``[N]`` in seconds."""

Describe = Callable[[UInt8Array], Float32Array]
"""Regions ``[N, R, D]`` of frames ``[N, S, S, 3]``."""


class WindowPanes:
    """Windows of frames that come batch by batch, followed through the video.

    Args:
        describe: regions of what windows show.
    """

    def __init__(self, describe: Describe) -> None:
        self._describe = describe
        self._panes: list[list[Batch]] = [[] for _ in range(MOST_WINDOWS)]
        self._last: list[Window | None] = [None] * MOST_WINDOWS

    def add(self, frames: UInt8Array, times_s: Float64Array) -> None:
        """Find and describe the windows of frames that follow those of the last call.

        Args:
            frames: RGB ``[N, S, S, 3]``, without bars.
            times_s: ``[N]``.
        """
        if len(frames) >= _LEAST_FRAMES:
            self._last = self._placed(find_windows(frames))
        for window, pane in zip(self._last, self._panes, strict=True):
            if window is not None:
                pane.append((self._describe(cut_out(frames, window)), times_s))

    def described(self) -> Iterator[Batch]:
        """Batches of all panes, pane after pane; each pane has its own times."""
        for pane in self._panes:
            yield from pane

    def _placed(self, windows: list[Window]) -> list[Window | None]:
        """The window of each pane: the pane that had it before, or the first that is free."""
        placed: list[Window | None] = [None] * MOST_WINDOWS
        rest = []
        for window in windows:
            same = [
                place
                for place, last in enumerate(self._last)
                if placed[place] is None and last is not None and last.overlap(window) >= _SAME
            ]
            if same:
                placed[same[0]] = window
            else:
                rest.append(window)
        for window in rest:
            placed[placed.index(None)] = window
        return placed
