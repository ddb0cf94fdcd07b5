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
    scorer = scorer_of(LiveFine(network))

    @lru_cache(maxsize=videos_in_memory)
    def stored(video_id: str) -> AnyArray:
        return scorer.stored(features.regions(video_id))

    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, (query, _) in enumerate(pairs):
        rows_of[query].append(row)
    scores: Float32Array = np.empty(len(pairs), dtype=np.float32)
    for query, rows in progress.track(rows_of.items(), "scoring pairs", len(rows_of)):
        scores[rows] = scorer.scores(stored(query), [stored(pairs[row][1]) for row in rows])
    return scores
