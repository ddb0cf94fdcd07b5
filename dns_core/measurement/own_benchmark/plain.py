"""Plain ways to compare whitened features, without a trained network: what the teacher has to beat."""

from collections.abc import Sequence

import numpy as np

from dns_core.records import Float32Array, VideoFeatures


class RawChamfer:
    """Chamfer similarity of region vectors, then of frames, of a query with every video of a database.

    Args:
        database: the videos, whitened.
        partial: a part that matches is enough, see `dns_core.models.pair_network.PairNetwork`.
    """

    def __init__(self, database: Sequence[VideoFeatures], *, partial: bool = False) -> None:
        self._partial = partial
        self._n_regions = database[0].regions.shape[1]
        self._vectors = np.concatenate([_rows(video) for video in database])
        self._lengths = np.array([video.whole.n_frames for video in database])
        self._starts = np.cumsum([0, *self._lengths[:-1]])

    def scores(self, query: VideoFeatures) -> Float32Array:
        """``[V]`` in [-1, 1]: mean over the query's frames of the best frame of each video."""
        regions = _rows(query) @ self._vectors.T
        best = regions.reshape(len(regions), -1, self._n_regions).max(axis=2)
        by_region = best.reshape(query.whole.n_frames, self._n_regions, -1)
        frames = by_region.max(axis=1) if self._partial else by_region.mean(axis=1)
        forth = np.maximum.reduceat(frames, self._starts, axis=1).mean(axis=0)
        if self._partial:
            back = np.add.reduceat(frames.max(axis=0), self._starts) / self._lengths
            forth = np.maximum(forth, back)
        return np.asarray(forth, dtype=np.float32)


class MeanVector:
    """Cosine of one vector a video: the mean of all its region vectors.

    Args:
        database: the videos, whitened.
    """

    def __init__(self, database: Sequence[VideoFeatures]) -> None:
        self._vectors = np.stack([_mean(video) for video in database])

    def scores(self, query: VideoFeatures) -> Float32Array:
        """``[V]`` in [-1, 1]."""
        return np.asarray(self._vectors @ _mean(query), dtype=np.float32)


def _rows(video: VideoFeatures) -> Float32Array:
    regions = video.whole.regions
    return np.asarray(regions.reshape(-1, regions.shape[-1]), dtype=np.float32)


def _mean(video: VideoFeatures) -> Float32Array:
    mean = _rows(video).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
