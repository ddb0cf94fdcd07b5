"""Which videos of an unlabelled corpus share footage, and a split that no footage crosses."""

from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dns_core.errors import InputError
from dns_core.records import BoolArray, Float32Array, Int64Array
from dns_core.training.batches import FeatureSet


@dataclass(frozen=True, slots=True)
class Split:
    """Videos to learn from and videos to validate with; ``cluster_of`` says which share footage."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    cluster_of: dict[str, int]


class FrameIndex:
    """Nearest frames over a corpus: every frame is the mean of its region vectors, unit length.

    Args:
        features: where the videos are read from.
        ids: videos to index.
    """

    def __init__(self, features: FeatureSet, ids: Sequence[str]) -> None:
        self.ids = tuple(ids)
        self._frames = {video_id: frame_vectors(features.regions(video_id)) for video_id in ids}
        self._video_of: Int64Array = np.repeat(
            np.arange(len(self.ids)), [len(self._frames[video_id]) for video_id in self.ids]
        )
        stacked = np.concatenate([self._frames[video_id] for video_id in self.ids])
        self._index = faiss.IndexFlatIP(stacked.shape[1])
        self._index.add(stacked)

    def video_similarities(self, regions: Float32Array, *, n_neighbours: int) -> Float32Array:
        """``[V]`` in [-1, 1]: mean over the frames ``[T, R, D]`` of the best frame of each video.

        Only each frame's ``n_neighbours`` nearest frames are seen; a video without any scores 0 there.
        """
        best = self._best_by_video(frame_vectors(regions), n_neighbours)
        return np.asarray(best.mean(axis=0), dtype=np.float32)

    def shared_frames(self, video_id: str, *, threshold: float, n_neighbours: int) -> Int64Array:
        """``[V]``: how many frames of ``video_id`` have a frame of each video above ``threshold``."""
        best = self._best_by_video(self._frames[video_id], n_neighbours)
        return np.asarray((best > threshold).sum(axis=0), dtype=np.int64)

    def _best_by_video(self, frames: Float32Array, n_neighbours: int) -> Float32Array:
        scores, rows = self._index.search(frames, min(n_neighbours, self._index.ntotal))
        best: Float32Array = np.zeros((len(frames), len(self.ids)), dtype=np.float32)
        np.maximum.at(best, (np.arange(len(frames))[:, None], self._video_of[rows]), scores)
        return best


def frame_vectors(regions: Float32Array) -> Float32Array:
    """``[T, D]`` unit vectors: the mean of each frame's regions ``[T, R, D]``."""
    mean = regions.mean(axis=1)
    norm = np.linalg.norm(mean, axis=1, keepdims=True)
    return np.ascontiguousarray(mean / np.maximum(norm, 1e-12), dtype=np.float32)


def likely_duplicates(index: FrameIndex, *, threshold: float, min_frames: int) -> BoolArray:
    """``[V, V]`` bool, symmetric: two videos have ``min_frames`` frames more alike than ``threshold``."""
    shared = np.stack(
        [index.shared_frames(video_id, threshold=threshold, n_neighbours=1024) for video_id in index.ids]
    )
    alike = shared >= min_frames
    return np.asarray(alike | alike.T)


def duplicate_clusters(alike: BoolArray) -> Int64Array:
    """``[V]`` cluster numbers: connected components of the ``[V, V]`` relation."""
    _, labels = connected_components(coo_array(alike), directed=False)
    return np.asarray(labels, dtype=np.int64)


def split_by_cluster(
    ids: Sequence[str], clusters: Int64Array, *, validation_share: float, seed: int
) -> Split:
    """A split in which no cluster stands on both sides; clusters are drawn until the share is reached.

    A cluster that would take more than twice the wanted share stays in training, as do all when there is
    nothing else: a corpus of one single cluster has no honest validation split.

    Raises:
        InputError: if every video shares footage with the others, so that nothing can be held out.
    """
    rng = np.random.default_rng(seed)
    wanted = max(1, round(validation_share * len(ids)))
    held_out: set[int] = set()
    n_held_out = 0
    sizes = np.bincount(clusters)
    for cluster in rng.permutation(len(sizes)):
        if n_held_out < wanted and n_held_out + sizes[cluster] <= 2 * wanted:
            held_out.add(int(cluster))
            n_held_out += int(sizes[cluster])
    if not held_out:
        raise InputError(
            f"no validation split: expected clusters of at most {2 * wanted} videos, "
            f"found {len(sizes)} clusters for {len(ids)} videos; add other footage or raise the threshold"
        )
    cluster_of = {video_id: int(label) for video_id, label in zip(ids, clusters, strict=True)}
    return Split(
        train=tuple(v for v in ids if cluster_of[v] not in held_out),
        validation=tuple(v for v in ids if cluster_of[v] in held_out),
        cluster_of=cluster_of,
    )
