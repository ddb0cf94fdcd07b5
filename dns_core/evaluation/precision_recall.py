"""Precision and recall at every threshold of the score."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from dns_core.evaluation.pooling import pooled_pairs
from dns_core.evaluation.ranking import Ranking
from dns_core.records import Float64Array


@dataclass(frozen=True, slots=True)
class PrecisionRecallCurve:
    """One point for each score that occurs, thresholds falling.

    Attributes:
        thresholds: ``[N]``; a pair is accepted if its score is at least this.
        precision: ``[N]`` share of the accepted pairs that are right.
        recall: ``[N]`` share of the right pairs that are accepted; never falls.
    """

    thresholds: Float64Array
    precision: Float64Array
    recall: Float64Array


def precision_recall_curve(
    rankings: Mapping[str, Ranking], positives: Mapping[str, AbstractSet[str]]
) -> PrecisionRecallCurve:
    """What every possible threshold over the pairs of all queries would accept.

    Pairs of the same score share one point: no threshold can part them. Positives that were not found
    stay in the denominator of recall, so that the curve may end below 1.

    Args:
        rankings: rows of each query that was answered.
        positives: what is right for every query there is, answered or not.

    Raises:
        ValueError: there is no positive pair.
    """
    n_positives = sum(len(right) for right in positives.values())
    if n_positives == 0:
        raise ValueError("recall needs at least one positive")
    scores, right = pooled_pairs(rankings, positives)
    last_of_tie = np.flatnonzero(np.diff(scores, append=-np.inf))
    accepted_right = np.cumsum(right)[last_of_tie]
    return PrecisionRecallCurve(
        thresholds=scores[last_of_tie],
        precision=accepted_right / (last_of_tie + 1),
        recall=accepted_right / n_positives,
    )
