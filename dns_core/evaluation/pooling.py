"""The rankings of all queries as one list of pairs, for measures that compare scores across queries."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import numpy as np

from dns_core.evaluation.ranking import Ranking, ranked_ids
from dns_core.records import BoolArray, Float64Array


def pooled_pairs(
    rankings: Mapping[str, Ranking], positives: Mapping[str, AbstractSet[str]]
) -> tuple[Float64Array, BoolArray]:
    """Scores of all (query, video) pairs, falling, and whether each pair is right.

    Ties break by query, then by video, so that the result does not depend on the order of the input.

    Args:
        rankings: rows of each query.
        positives: what is right for each query.

    Returns:
        ``[P]`` scores and ``[P]`` marks of the P pairs.
    """
    rows = []
    for query, ranking in rankings.items():
        ranked_ids(ranking)  # the same refusals as every other measure
        right = positives.get(query, frozenset())
        rows += [(-score, query, video, video in right) for video, score in ranking]
    rows.sort()
    scores = np.array([-row[0] for row in rows], dtype=np.float64)
    return scores, np.array([row[3] for row in rows], dtype=np.bool_)
