"""Fine similarities of many pairs, by the very code that answers queries."""

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from dns_core.index.npy_stream import AnyArray
from dns_core.models.live import LiveFine
from dns_core.models.pair_network import PairNetwork
from dns_core.ports import Progress
from dns_core.records import Float32Array
from dns_core.retrieval.scorer import scorer_of
from dns_core.training.batches import FeatureSet


class PairScorer:
    """A network that compares videos of a set with one another.

    Args:
        network: teacher or fine student, in evaluation mode.
        features: where the videos are read from.
        videos_in_memory: indexed videos kept for the next pair.

    Attributes:
        fine: the comparison.
        features: of the videos.
    """

    def __init__(self, network: PairNetwork, features: FeatureSet, videos_in_memory: int) -> None:
        self.fine = scorer_of(LiveFine(network))
        self.features = features
        self._stored = lru_cache(maxsize=videos_in_memory)(self._read)

    def scores(self, query: str, targets: Sequence[str]) -> Float32Array:
        """``[K]`` similarities in [-1, 1] of a query with each target."""
        return self.fine.scores(self._stored(query), [self._stored(target) for target in targets])

    def _read(self, video_id: str) -> AnyArray:
        return self.fine.stored(self.features.regions(video_id))


def pair_scores(
    network: PairNetwork,
    features: FeatureSet,
    pairs: Sequence[tuple[str, str]],
    *,
    videos_in_memory: int,
    progress: Progress,
) -> Float32Array:
    """``[P]`` similarities in [-1, 1] of (query, target) pairs, in the order given.

    Args:
        network: teacher or fine student, in evaluation mode.
        features: where the videos are read from.
        pairs: ids of query and target.
        videos_in_memory: indexed videos kept for the next pair.
        progress: shown over queries.
    """
    scorer = PairScorer(network, features, videos_in_memory)
    rows_of = rows_by_query(pairs)
    scores: Float32Array = np.empty(len(pairs), dtype=np.float32)
    for query, rows in progress.track(rows_of.items(), "scoring pairs", len(rows_of)):
        scores[rows] = scorer.scores(query, [pairs[row][1] for row in rows])
    return scores


def rows_by_query(pairs: Sequence[tuple[str, str]]) -> dict[str, list[int]]:
    """The rows of each query, in the order in which queries first appear."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, (query, _) in enumerate(pairs):
        rows_of[query].append(row)
    return dict(rows_of)
