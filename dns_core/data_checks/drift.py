"""How far new videos lie from those that models learnt from.

A video is the mean of its frame vectors (`frame_vectors`), after the whitening of the models. Drift is the
distance of the two sets' means, by the spread of the training videos: the root of the mean over dimensions of
((mean_new - mean_training) / spread)^2. New videos drawn from the training videos are below 0.5 from five on;
videos that have nothing to do with them exceed 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dns_core.records import Float32Array, Float64Array
from dns_core.store.feature_store import FeatureStore
from dns_core.training.clusters import frame_vectors

_LEAST_SPREAD = 1e-6


@dataclass(frozen=True, slots=True)
class TrainingProfile:
    """Where the training videos lie: mean and spread by dimension."""

    mean: tuple[float, ...]
    spread: tuple[float, ...]

    def drift(self, videos: Float32Array) -> float:
        """How far ``[V, D]`` video vectors lie from the training videos, 0 or more."""
        return _length(self._offsets(videos).mean(axis=0))

    def distances(self, videos: Float32Array) -> list[float]:
        """How far each of ``[V, D]`` video vectors lies from the training videos' mean."""
        return [_length(row) for row in self._offsets(videos)]

    def _offsets(self, videos: Float32Array) -> Float64Array:
        return (np.asarray(videos, dtype=np.float64) - self.mean) / self.spread


def training_profile(store: FeatureStore) -> TrainingProfile:
    """The profile of a store's videos, read one at a time."""
    vectors = np.stack([video_vector(store.read(video_id).regions) for video_id in store.ids])
    spread = np.maximum(vectors.std(axis=0), _LEAST_SPREAD)
    return TrainingProfile(_plain(vectors.mean(axis=0)), _plain(spread))


def video_vector(regions: Float32Array) -> Float32Array:
    """``[D]`` of a video's whitened regions ``[T, R, D]``."""
    mean: Float32Array = frame_vectors(regions).mean(axis=0)
    return mean


def _length(offsets: Float64Array) -> float:
    return float(np.sqrt(np.square(offsets).mean()))


def _plain(values: Sequence[float] | Float32Array) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
