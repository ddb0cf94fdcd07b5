"""What queries score with the background."""

import numpy as np

from dns_core.records import Float32Array, Int64Array, VideoFeatures
from dns_core.retrieval.background import Background
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores
from dns_core.retrieval.encode import chunk_vectors
from dns_core.retrieval.networks import ChunkNetwork
from dns_core.retrieval.ranking import video_scores
from dns_core.retrieval.scorer import FineScorer


class BackgroundFine:
    """Fine scores of queries with the background.

    Args:
        scorer: of the fine network.
        background: the videos.
    """

    def __init__(self, scorer: FineScorer, background: Background) -> None:
        self._scorer = scorer
        self._videos = [in_one_chunk(scorer, video) for video in background.videos]

    def scores(self, query: ChunkedVideo) -> Float32Array:
        """``[N]`` raw fine scores in [-1, 1] of a query with each video."""
        return chunked_scores(self._scorer, query, self._videos)


class BackgroundCoarse:
    """Coarse scores of queries with the background.

    Args:
        network: the coarse network.
        background: the videos.
    """

    def __init__(self, network: ChunkNetwork, background: Background) -> None:
        vectors = [chunk_vectors(network, video, _whole(video)) for video in background.videos]
        self._vectors = np.concatenate(vectors)

    def scores(self, vectors: Float32Array, panes: Int64Array | None = None) -> Float32Array:
        """``[N]`` cosines with each video of a query; vectors ``[C, E]`` and panes as in `video_scores`."""
        return video_scores(vectors @ self._vectors.T, np.arange(len(self._vectors) + 1), panes)


def in_one_chunk(scorer: FineScorer, video: VideoFeatures) -> ChunkedVideo:
    """A short video for fine comparison, uncut, as an index would hold it."""
    return ChunkedVideo(scorer.stored(video.regions), video.times_s, _whole(video))


def _whole(video: VideoFeatures) -> Int64Array:
    return np.array([[0, video.n_frames]], dtype=np.int64)
