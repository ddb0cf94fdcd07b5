"""A short video held in memory, which knows where in its source each frame comes from."""

from dataclasses import dataclass

import numpy as np

from dns_core.records import Float64Array, Int64Array, UInt8Array


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames shown at a constant rate, and the source time that each of them shows.

    Attributes:
        frames: ``[T, H, W, 3]`` RGB, T at least 1.
        fps: frames a second at which they are shown; positive.
        source_times_s: ``[T]``, the presentation time in the source video that each frame shows; nan
            where the frame shows something else. Frame ``i`` of the clip itself is shown at ``i / fps``.
        other_times_s: ``[T]``, likewise for the second video that a composite edit mixes in; None if
            there is none. A frame may show both.
    """

    frames: UInt8Array
    fps: float
    source_times_s: Float64Array
    other_times_s: Float64Array | None = None

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[-1] != 3 or 0 in self.frames.shape:
            raise ValueError(f"frames must be [T, H, W, 3] and not empty, not {self.frames.shape}")
        for times_s in (self.source_times_s, self.other_times_s):
            if times_s is not None and times_s.shape != self.frames.shape[:1]:
                raise ValueError(f"{self.frames.shape[0]} frames but times {times_s.shape}")
        if not self.fps > 0:
            raise ValueError(f"fps must be positive, not {self.fps}")

    @property
    def n_frames(self) -> int:
        """T, the number of frames."""
        return int(self.frames.shape[0])

    @property
    def duration_s(self) -> float:
        """Seconds for which the clip is shown."""
        return self.n_frames / self.fps


@dataclass(frozen=True, slots=True)
class SourceSegment:
    """A stretch of a clip and the stretch of its source that it shows, in seconds, ends exclusive."""

    clip_start_s: float
    clip_end_s: float
    source_start_s: float
    source_end_s: float


def source_segments(clip: Clip) -> tuple[SourceSegment, ...]:
    """The maximal runs of frames that show the source without stepping back, in order.

    The last frame of a run counts as long in the source as the run's mean step (a still: as long
    as one frame is shown), so that a segment of n frames is n steps long on either side.
    """
    return _segments(clip.source_times_s, clip.fps)


def other_segments(clip: Clip) -> tuple[SourceSegment, ...]:
    """The maximal runs of frames that show the other video of a composite, as `source_segments`."""
    return () if clip.other_times_s is None else _segments(clip.other_times_s, clip.fps)


def _segments(times_s: Float64Array, fps: float) -> tuple[SourceSegment, ...]:
    shown = np.flatnonzero(~np.isnan(times_s))
    breaks = np.flatnonzero((np.diff(shown) > 1) | (np.diff(times_s[shown]) < 0)) + 1
    return tuple(_segment(times_s, fps, run) for run in np.split(shown, breaks) if len(run))


def _segment(times_s: Float64Array, fps: float, run: Int64Array) -> SourceSegment:
    start, stop = int(run[0]), int(run[-1]) + 1
    first, last = float(times_s[start]), float(times_s[stop - 1])
    step = (last - first) / (len(run) - 1) if last > first else 1 / fps
    return SourceSegment(start / fps, stop / fps, first, last + step)
