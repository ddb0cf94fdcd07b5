"""Videos put together from shots, and where every second of them comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from dns_core.corpus.shots import Shot, film
from dns_core.records import BoolArray, Float64Array, Int64Array, UInt8Array
from dns_core.video.clip import Clip
from dns_core.video.edits import Strength, edit_clip

_LARGEST_STEP_S = 1.0
"""A jump in source time by more than this ends a run."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a shot as a video shows it; ``fade_s`` is how long it blends with the part before."""

    shot_id: str
    start_s: float
    end_s: float
    fade_s: float = 0.0

    @property
    def duration_s(self) -> float:
        """Seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class VideoPlan:
    """All that a video is made from; equal plans make equal bytes.

    Attributes:
        path: relative to the corpus.
        parts: in order.
        size_px: width and height before edits.
        fps: frames a second.
        crf: x264's constant rate factor.
        seed: of the edits.
        window_s: the stretch of the composition that is kept; None for all of it.
        edits: names and strengths, applied in order.
        filler: the shot that edits mix in (an inserted clip, a picture's surroundings), or None.
        copy_of: path of the video that the parts were taken from as a whole or by excerpt, or None.
    """

    path: str
    parts: tuple[Part, ...]
    size_px: tuple[int, int]
    fps: float
    crf: int
    seed: int
    window_s: tuple[float, float] | None = None
    edits: tuple[tuple[str, Strength], ...] = ()
    filler: str | None = None
    copy_of: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a finished video and the stretch of a shot that it shows, in seconds, ends exclusive."""

    start_s: float
    end_s: float
    shot_id: str
    shot_start_s: float
    shot_end_s: float


def part_starts(parts: Sequence[Part]) -> Float64Array:
    """``[len(parts) + 1]`` time at which each part begins (a blend's beginning), and the total length."""
    fades = np.array([part.fade_s for part in parts])
    ends = np.cumsum([part.duration_s for part in parts] - fades)
    return np.concatenate([[0.0], ends[:-1] - fades[1:], ends[-1:]])


def render(plan: VideoPlan, shots: Mapping[str, Shot]) -> tuple[Clip, tuple[Run, ...]]:
    """A finished video and its runs, in order of time.

    Args:
        plan: what to make.
        shots: by id, all that the plan names.
    """
    start_s, end_s = plan.window_s or (0.0, float(part_starts(plan.parts)[-1]))
    times_s = start_s + np.arange(round((end_s - start_s) * plan.fps)) / plan.fps
    clip = Clip(_blended(plan, shots, times_s), plan.fps, times_s)
    rng = np.random.default_rng(plan.seed)
    for name, strength in plan.edits:
        clip = edit_clip(clip, name, rng=rng, strength=strength, other=_filler(plan, shots, clip))
    return clip, _runs(plan.parts, clip)


def _blended(plan: VideoPlan, shots: Mapping[str, Shot], times_s: Float64Array) -> UInt8Array:
    width, height = plan.size_px
    frames = np.zeros((len(times_s), height, width, 3), np.uint8)
    for part, start_s in zip(plan.parts, part_starts(plan.parts)[:-1], strict=True):
        inside = np.flatnonzero((times_s >= start_s) & (times_s < start_s + part.duration_s))
        if inside.size == 0:
            continue
        since_s = times_s[inside] - start_s
        filmed = film(shots[part.shot_id], part.start_s + since_s, plan.size_px)
        blending = since_s < part.fade_s
        weight = (since_s[blending] / part.fade_s if part.fade_s else since_s[blending])[:, None, None, None]
        mixed = weight * filmed[blending] + (1 - weight) * frames[inside[blending]]
        filmed[blending] = np.rint(mixed).astype(np.uint8)
        frames[inside] = filmed
    return frames


def _filler(plan: VideoPlan, shots: Mapping[str, Shot], clip: Clip) -> Clip | None:
    if plan.filler is None:
        return None
    shot, (height, width) = shots[plan.filler], clip.frames.shape[1:3]
    times_s = np.arange(int(shot.duration_s * clip.fps)) / clip.fps
    return Clip(film(shot, times_s, (width, height)), clip.fps, times_s)


def _runs(parts: Sequence[Part], clip: Clip) -> tuple[Run, ...]:
    number = _part_numbers(parts, clip.source_times_s)
    breaks = np.flatnonzero(
        (number[1:] != number[:-1]) | ~_steady(np.diff(clip.source_times_s)) | (number[1:] < 0)
    )
    edges = [0, *(breaks + 1).tolist(), clip.n_frames]
    starts = part_starts(parts)
    runs = []
    for first, stop in pairwise(edges):
        if number[first] < 0:
            continue
        part = parts[number[first]]
        shot_times_s = clip.source_times_s[first:stop] - starts[number[first]] + part.start_s
        step_s = float(np.diff(shot_times_s).mean()) if stop - first > 1 else 1 / clip.fps
        runs.append(
            Run(
                round(first / clip.fps, 4),
                round(stop / clip.fps, 4),
                part.shot_id,
                round(float(shot_times_s[0]), 4),
                round(float(shot_times_s[-1]) + step_s, 4),
            )
        )
    return tuple(runs)


def _steady(steps_s: Float64Array) -> BoolArray:
    return (steps_s >= 0) & (steps_s <= _LARGEST_STEP_S)


def _part_numbers(parts: Sequence[Part], times_s: Float64Array) -> Int64Array:
    """``[T]`` part that dominates at each time of the composition; -1 where the time is nan."""
    changes = [
        start + part.fade_s / 2 for part, start in zip(parts[1:], part_starts(parts)[1:-1], strict=True)
    ]
    known = np.isfinite(times_s)
    numbers = np.searchsorted(np.array(changes), np.where(known, times_s, 0.0), side="right")
    return np.where(known, numbers, -1).astype(np.int64)
