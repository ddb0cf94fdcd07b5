"""The random choices of the reference's training, draw by draw, to repeat one of its runs.

Our own training draws otherwise (`dns_core.training.distillation`, `.selection`): from one seeded generator,
with the splits of a corpus kept apart by footage. The reference draws pairs from Python's generator, which
nothing seeds, and everything else from numpy's global one; here both are given.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from dns_core.records import Int64Array

_SHORTEST_CHANGED = 9
_LONGEST_SLOWED = 149
_LONGEST = 300
_SPLIT_SEED = 42

Pools = Mapping[int, Mapping[str, Mapping[int, float]]]
"""``pools[query]["positives" | "negatives"][video]`` is a similarity; keys are places in the index."""


def training_videos(
    index: Sequence[str], available: Sequence[str], percentage: float, rng: np.random.RandomState
) -> frozenset[int]:
    """Places of the videos that are trained on: a share of the whole index, of those that are available."""
    there = frozenset(available)
    places = [place for place, video in enumerate(index) if video in there]
    rng.shuffle(places)
    return frozenset(places[: int(len(index) * percentage / 100)])


@dataclass(frozen=True, slots=True)
class Triplet:
    """A query, a positive, a negative (places in the index), and what the student should give them."""

    query: int
    positive: int
    negative: int
    positive_similarity: float
    negative_similarity: float


def drawn_triplets(
    pools: Pools, videos: frozenset[int], rng: random.Random, *, coarse: bool
) -> list[Triplet]:
    """One triplet for each query that has something to draw, in the order of ``pools``.

    Args:
        pools: what may be drawn.
        videos: places that are trained on.
        rng: the positive is drawn first, then the negative.
        coarse: similarities as s / 2 + 1/2, for a coarse student.
    """
    triplets = []
    for query, pool in pools.items():
        near, far = ([v for v in pool[name] if v in videos] for name in ("positives", "negatives"))
        if query in videos and near and far:
            positive, negative = rng.choice(near), rng.choice(far)
            wanted = pool["positives"][positive], pool["negatives"][negative]
            wanted = (wanted[0] / 2 + 0.5, wanted[1] / 2 + 0.5) if coarse else wanted
            triplets.append(Triplet(query, positive, negative, *wanted))
    return triplets


def augmented_frames(n_frames: int, rng: np.random.RandomState) -> Int64Array:
    """Indices into ``n_frames`` frames after at most one change, 10 % each: drop, shuffle, x2, half, reverse.

    Windows of 4 to 15 frames are dropped (30 % of them) or shuffled; a video that does not fill its last
    window is continued from its start. Videos of up to 8 frames are left, longer ones end at frame 300.
    """
    frames = np.arange(n_frames)
    if n_frames < _SHORTEST_CHANGED:
        return frames[:_LONGEST]
    chance = rng.uniform()
    if chance < 0.2:
        frames = _windowed(frames, rng, drop=chance < 0.1)
    elif chance < 0.3:
        frames = frames[::2]
    elif chance < 0.4:
        frames = np.repeat(frames, 2) if n_frames <= _LONGEST_SLOWED else frames
    elif chance < 0.5:
        frames = frames[::-1]
    return frames[:_LONGEST]


def _windowed(frames: Int64Array, rng: np.random.RandomState, *, drop: bool) -> Int64Array:
    size = int(rng.randint(4, 16))
    rest = len(frames) % size
    if rest:
        frames = np.concatenate([frames, frames])[: len(frames) + size - rest]
    windows = frames.reshape(-1, size)
    if not drop:
        rng.shuffle(windows)
        return windows.ravel()
    kept = rng.rand(len(windows)) > 0.3
    return windows[kept].ravel() if kept.any() else frames


@dataclass(frozen=True, slots=True)
class SelectorPairs:
    """Pairs of a selector's training: queries, targets, coarse similarities, and whether fine ones differ."""

    pairs: tuple[tuple[str, str, float], ...]
    labels: npt.NDArray[np.float32]


def selector_pairs(
    index: Sequence[str], fine: Pools, coarse: Pools, *, threshold: float, validation_share: float
) -> tuple[SelectorPairs, SelectorPairs]:
    """Training and validation pairs, split by pairs with the reference's seed.

    The same video may stand on both sides, a leak that our own split does not have. A pair is labelled 1 if
    its fine similarity, as s / 2 + 1/2, is further from the coarse one than ``threshold``.
    """
    rows: list[tuple[str, str, float]] = []
    labels: list[float] = []
    for query, pools in fine.items():
        for pool in ("positives", "negatives"):
            for video, similarity in pools[pool].items():
                cosine = coarse[query][pool][video]
                rows.append((index[query], index[video], cosine))
                labels.append(float(abs(similarity / 2 + 0.5 - cosine) > threshold))
    places: list[Any] = train_test_split(
        np.arange(len(rows)), test_size=validation_share, random_state=_SPLIT_SEED
    )
    sides = [
        SelectorPairs(tuple(rows[p] for p in side), np.array([labels[p] for p in side], dtype=np.float32))
        for side in places
    ]
    return sides[0], sides[1]


def balanced_places(
    labels: npt.NDArray[np.float32], size: int | None, rng: np.random.RandomState
) -> list[int]:
    """As many places of either label: ``size``, or what the rarer one has; label 0 first."""
    classes, counts = np.unique(labels, return_counts=True)
    each = int(counts.min()) if size is None else min(size, int(counts.min()))
    return [
        int(place)
        for label in classes
        for place in rng.choice(np.flatnonzero(labels == label), each, replace=False)
    ]
