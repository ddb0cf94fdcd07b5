"""Average precision of all queries' results thrown together."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import numpy as np

from dns_core.evaluation.pooling import pooled_pairs
from dns_core.evaluation.ranking import Ranking


def micro_average_precision(
    rankings: Mapping[str, Ranking], positives: Mapping[str, AbstractSet[str]]
) -> float:
    """Average precision over all (query, video) pairs in one list, in [0, 1].

    The mean over queries forgives scores that are not comparable between queries; this does not, which
    is what a single threshold in production meets. The denominator is the number of positive pairs of
    all queries, found or not.

    Args:
        rankings: rows of each query that was answered.
        positives: what is right for every query there is, answered or not.

    Raises:
        ValueError: there is no positive pair.

    Reference:
        Pizzi et al., "The 2023 Video Similarity Dataset and Challenge", 2023: micro-AP (uAP).

    Example:
        >>> rankings = {"p": [("a", 0.9)], "q": [("b", 0.8), ("a", 0.7)]}
        >>> micro_average_precision(rankings, {"p": {"a"}, "q": {"a"}})
        0.8333333333333333
    """
    n_positives = sum(len(right) for right in positives.values())
    if n_positives == 0:
        raise ValueError("average precision needs at least one positive")
    _, right = pooled_pairs(rankings, positives)
    precision = np.cumsum(right) / np.arange(1, right.size + 1)
    return float(precision[right].sum() / n_positives)
