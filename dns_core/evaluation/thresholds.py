"""From which score on answers are shown: what is lost, and what is shown that should not be."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from dns_core.evaluation.ranking import Ranking, judged_pairs
from dns_core.records import GroundTruth


class Threshold(NamedTuple):
    """What a threshold lets through.

    Attributes:
        score: answers of this score or more are shown.
        false_positive_rate: share of the pairs that do not match which are shown.
        recall: share of the pairs that match which are shown.
        precision: share of the shown pairs that match; 1 if none is shown.
    """

    score: float
    false_positive_rate: float
    recall: float
    precision: float


def thresholds(
    rankings: Mapping[str, Ranking],
    truth: GroundTruth,
    task: str,
    *,
    false_positive_rate: float,
    scores: Sequence[float] = (),
) -> list[Threshold]:
    """The least threshold that at most a share of unrelated pairs exceed, then given ones.

    Args:
        rankings: by query, videos with their score; whole, not cut off.
        truth: what matches; pairs that it does not judge are dropped (`judged_pairs`).
        task: whose labels count as a match.
        false_positive_rate: in (0, 1); unrelated pairs of exactly the threshold's score all exceed it.
        scores: of the other thresholds.

    Raises:
        ValueError: a ranking is of an unknown query, or no pair matches, or none does not.
    """
    values, matches = judged_pairs(rankings, truth, task)
    true, strange = np.sort(values[matches]), np.sort(values[~matches])
    if not (len(true) and len(strange)):
        raise ValueError(
            f"thresholds need pairs of both kinds, found {len(true)} true, {len(strange)} others"
        )
    at_most = int(false_positive_rate * len(strange))
    recommended = float(np.nextafter(strange[len(strange) - at_most - 1], np.inf))

    def shown(found: np.ndarray, score: float) -> int:
        return len(found) - int(np.searchsorted(found, score))

    def at(score: float) -> Threshold:
        hits, false = shown(true, score), shown(strange, score)
        precision = hits / (hits + false) if hits + false else 1.0
        return Threshold(score, false / len(strange), hits / len(true), precision)

    return [at(recommended), *(at(score) for score in scores)]
