"""Plain ways to compare whitened features, without a trained network: what the teacher has to beat."""

from collections.abc import Sequence

import numpy as np

from dns_core.records import Float32Array, VideoFeatures


class RawChamfer:
    """Chamfer similarity of region vectors, then of frames, of a query with every video of a database.

    Args:
        database: the videos, whitened.
    """

    def __init__(self, database: Sequence[VideoFeatures]) -> None:
        self._n_regions = database[0].regions.shape[1]
        self._vectors = np.concatenate([_rows(video) for video in database])
        self._starts = np.cumsum([0, *(video.n_frames for video in database[:-1])])

    def scores(self, query: VideoFeatures) -> Float32Array:
        """``[V]`` in [-1, 1]: mean over the query's frames of the best frame of each video."""
        regions = _rows(query) @ self._vectors.T
        best = regions.reshape(len(regions), -1, self._n_regions).max(axis=2)
        frames = best.reshape(query.n_frames, self._n_regions, -1).mean(axis=1)
        return np.asarray(np.maximum.reduceat(frames, self._starts, axis=1).mean(axis=0), dtype=np.float32)


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
    return np.asarray(video.regions.reshape(-1, video.regions.shape[-1]), dtype=np.float32)


def _mean(video: VideoFeatures) -> Float32Array:
    mean = _rows(video).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
