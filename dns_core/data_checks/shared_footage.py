"""Which video of a set each video of another is most like, found by vectors of videos, then by their frames.

Two videos are as alike as their frames find counterparts in the other: the mean over one's frames of the
cosine to the best frame of the other (a frame being the mean of its regions), in the better direction, so
that an excerpt is found in what it is cut from. This is the Chamfer similarity of frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dns_core.ports import Progress
from dns_core.records import Float32Array
from dns_core.store.feature_store import FeatureStore
from dns_core.training.clusters import frame_vectors

_SHORTEST = 3
"""A video of fewer frames is not sought in a longer one: too little to tell footage by."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A video, the video of the other set most like it, and how alike they are, in [-1, 1]."""

    video: str
    nearest: str
    similarity: float


def nearest_videos(
    videos: FeatureStore, among: FeatureStore, *, candidates: int, progress: Progress, label: str
) -> list[Nearest]:
    """For each of ``videos``, the nearest one of ``among``.

    In memory are one vector a video of ``among``, and the frames of the videos that are compared last.

    Args:
        videos: are sought.
        among: not empty; of the same features.
        candidates: of ``among``, by their vectors, whose frames are compared.
        progress: shown over ``videos``.
        label: what the progress is of.
    """
    vectors = np.stack([_mean(frames_of(among, video_id)) for video_id in among.ids])

    @lru_cache(maxsize=256)
    def stored(row: int) -> Float32Array:
        return frames_of(among, among.ids[row])

    found = []
    for video_id in progress.track(videos.ids, label):
        frames = frames_of(videos, video_id)
        order = np.argsort(-(vectors @ _mean(frames)), kind="stable")[:candidates]
        scores = [alikeness(frames, stored(int(row))) for row in order]
        best = int(np.argmax(scores))
        found.append(Nearest(video_id, among.ids[int(order[best])], scores[best]))
    return found


def alikeness(one: Float32Array, other: Float32Array) -> float:
    """How alike two videos are by their frame vectors ``[T, D]``, in [-1, 1]; symmetric."""
    cosines = one @ other.T
    ways: Sequence[Float32Array] = (cosines.max(axis=1), cosines.max(axis=0))
    longer = len(other) > len(one)
    means = [way.mean() for way in ways if len(way) >= _SHORTEST]
    return float(max(means)) if means else float(ways[int(longer)].mean())


def frames_of(store: FeatureStore, video_id: str) -> Float32Array:
    """``[T, D]`` unit vectors of a stored video's frames."""
    return frame_vectors(store.read(video_id).regions)


def _mean(frames: Float32Array) -> Float32Array:
    mean = frames.mean(axis=0)
    unit: Float32Array = mean / max(float(np.linalg.norm(mean)), 1e-12)
    return unit
