"""A short video held in memory, which knows where in its source each frame comes from."""

from dataclasses import dataclass

import numpy as np

from dns_core.records import Float64Array, UInt8Array


@dataclass(frozen=True, slots=True)
class Clip:
    """Frames shown at a constant rate, and the source time that each of them shows.

    Attributes:
        frames: ``[T, H, W, 3]`` RGB, T at least 1.
        fps: frames a second at which they are shown; positive.
        source_times_s: ``[T]``, the presentation time in the source video that each frame shows; nan
            where the frame shows something else. Frame ``i`` of the clip itself is shown at ``i / fps``.
    """

    frames: UInt8Array
    fps: float
    source_times_s: Float64Array

    def __post_init__(self) -> None:
        if self.frames.ndim != 4 or self.frames.shape[-1] != 3 or 0 in self.frames.shape:
            raise ValueError(f"frames must be [T, H, W, 3] and not empty, not {self.frames.shape}")
        if self.source_times_s.shape != self.frames.shape[:1]:
            raise ValueError(f"{self.frames.shape[0]} frames but times {self.source_times_s.shape}")
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
    """The maximal runs of frames that show the source, in order.

    The last frame of a run counts as long in the source as the run's mean step (a frame alone: as
    long as it is shown), so that a segment of n frames is n steps long on either side.
    """
    shown = np.concatenate([[False], ~np.isnan(clip.source_times_s), [False]])
    edges = np.flatnonzero(shown[1:] != shown[:-1])
    return tuple(_segment(clip, int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))


def _segment(clip: Clip, start: int, stop: int) -> SourceSegment:
    first, last = clip.source_times_s[start], clip.source_times_s[stop - 1]
    step = (last - first) / (stop - 1 - start) if stop - start > 1 else 1 / clip.fps
    return SourceSegment(start / clip.fps, stop / clip.fps, float(first), float(last + step))
