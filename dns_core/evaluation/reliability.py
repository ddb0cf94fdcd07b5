"""Reliability diagram: predicted probability against observed frequency."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from dns_core.evaluation.ranking import Ranking, judged_pairs
from dns_core.records import GroundTruth

N_BINS = 10


class ReliabilityBin(NamedTuple):
    """Pairs with like probabilities.

    Attributes:
        predicted: mean probability of the pairs, in [0, 1].
        observed: share of them that match.
        n_pairs: how many they are; at least one.
    """

    predicted: float
    observed: float
    n_pairs: int


def reliability(rankings: Mapping[str, Ranking], truth: GroundTruth, task: str) -> list[ReliabilityBin]:
    """Bins of equal width in rising order, without the empty ones: a diagram of reliability.

    Args:
        rankings: by query, videos with the probability in [0, 1] that they match; whole, not cut off.
        truth: what matches; pairs that it does not judge are dropped (`judged_pairs`).
        task: whose labels count as a match.

    Raises:
        ValueError: a ranking is of an unknown query.

    Reference: Niculescu-Mizil and Caruana, Predicting good probabilities with supervised learning, ICML 2005.
    """
    probabilities, matches = judged_pairs(rankings, truth, task)
    bins = np.minimum((probabilities * N_BINS).astype(np.int64), N_BINS - 1)
    return [
        ReliabilityBin(float(probabilities[bins == k].mean()), float(matches[bins == k].mean()), int(n))
        for k, n in enumerate(np.bincount(bins, minlength=N_BINS))
        if n
    ]
