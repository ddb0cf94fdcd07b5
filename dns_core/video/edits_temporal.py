"""Edits of when frames are shown: every frame is one of the clip's, and keeps its source time."""

import numpy as np

from dns_core.records import Int64Array
from dns_core.video.clip import Clip
from dns_core.video.edits_strength import Strength, by_strength


def speed(clip: Clip, rng: np.random.Generator, strength: Strength) -> Clip:
    """Shown faster or slower by a factor of 1.05-1.15, 1.2-1.4 or 1.6-2; the frame rate stays."""
    low, high = by_strength(strength, (1.05, 1.15), (1.2, 1.4), (1.6, 2.0))
    factor = float(rng.uniform(low, high)) ** float(rng.choice((-1.0, 1.0)))
    count = max(1, round(clip.n_frames / factor))
    order = np.floor(np.arange(count) * factor).astype(np.int64)
    return taken(clip, np.minimum(order, clip.n_frames - 1))


def frame_drop(clip: Clip, rng: np.random.Generator, strength: Strength) -> Clip:
    """Without 5, 15 or 35 % of the frames, each lost on its own; at least one is lost and one stays."""
    lost = max(1, round(clip.n_frames * by_strength(strength, 0.05, 0.15, 0.35)))
    kept = max(1, clip.n_frames - lost)
    return taken(clip, np.sort(rng.choice(clip.n_frames, size=kept, replace=False)))


def trim(clip: Clip, rng: np.random.Generator, strength: Strength) -> Clip:
    """An excerpt of 70, 45 or 25 % of the length, at least one frame."""
    kept = max(1, round(clip.n_frames * by_strength(strength, 0.7, 0.45, 0.25)))
    start = int(rng.integers(clip.n_frames - kept + 1))
    return taken(clip, np.arange(start, start + kept))


def taken(clip: Clip, order: Int64Array) -> Clip:
    """The clip's frames in ``order``, at the same frame rate, each with the times it shows."""
    other_times_s = None if clip.other_times_s is None else clip.other_times_s[order]
    return Clip(clip.frames[order], clip.fps, clip.source_times_s[order], other_times_s)
