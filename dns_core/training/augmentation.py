"""Temporal augmentations, as frame indices into a video (the paper, section 4.1; S2VS, section 3.2)."""

from collections.abc import Callable

import numpy as np

from dns_core.records import Int64Array

Augmentation = Callable[[Int64Array, np.random.Generator], Int64Array]


def drop_window(frames: Int64Array, rng: np.random.Generator) -> Int64Array:
    """All frames but one random stretch of up to a third of them."""
    start, stop = _window(len(frames), rng)
    return np.delete(frames, np.s_[start:stop])


def shuffle_window(frames: Int64Array, rng: np.random.Generator) -> Int64Array:
    """The frames with one random stretch in random order."""
    start, stop = _window(len(frames), rng)
    shuffled = frames.copy()
    shuffled[start:stop] = rng.permutation(shuffled[start:stop])
    return shuffled


def fast_forward(frames: Int64Array, rng: np.random.Generator) -> Int64Array:
    """Every second frame, from a random one of the first two."""
    return frames[int(rng.integers(2)) :: 2]


def slow_motion(frames: Int64Array, rng: np.random.Generator) -> Int64Array:  # noqa: ARG001
    """Every frame twice."""
    return np.repeat(frames, 2)


def reverse(frames: Int64Array, rng: np.random.Generator) -> Int64Array:  # noqa: ARG001
    """The frames from last to first."""
    return frames[::-1].copy()


AUGMENTATIONS: tuple[Augmentation, ...] = (drop_window, shuffle_window, fast_forward, slow_motion, reverse)


def augmented_frames(n_frames: int, rng: np.random.Generator, *, probability: float) -> Int64Array:
    """Indices into ``n_frames`` frames after at most one augmentation of each kind; never empty.

    Args:
        n_frames: T of the video, at least 1.
        rng: source of every draw.
        probability: chance of each kind, in [0, 1]; the paper's is .1.
    """
    frames = np.arange(n_frames, dtype=np.int64)
    for augmentation in AUGMENTATIONS:
        if len(frames) >= 4 and rng.random() < probability:
            frames = augmentation(frames, rng)
    return frames


def random_crop(frames: Int64Array, length: int, rng: np.random.Generator) -> Int64Array:
    """A random stretch of at most ``length`` frames."""
    start = int(rng.integers(max(len(frames) - length, 0) + 1))
    return frames[start : start + length]


def _window(n_frames: int, rng: np.random.Generator) -> tuple[int, int]:
    length = int(rng.integers(1, max(n_frames // 3, 1) + 1))
    start = int(rng.integers(n_frames - length + 1))
    return start, start + length
