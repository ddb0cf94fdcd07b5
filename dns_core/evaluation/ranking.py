"""The one order of results that every measure uses."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dns_core.records import NEUTRAL, BoolArray, Float64Array, GroundTruth

Ranking = Sequence[tuple[str, float]]
"""``(video_id, score)`` rows in any order; scores are similarities of any sign."""


def ranked_ids(ranking: Ranking) -> list[str]:
    """Video ids by falling score, ties by id.

    Tied scores are common (binary codes, clipped similarities), so the order of ties must not depend on
    the order in which rows arrive; and a score of 0 or below is a score like any other.

    Args:
        ranking: rows in any order.

    Raises:
        ValueError: a score is NaN, or a video appears twice.

    Example:
        >>> ranked_ids([("b", 0.5), ("c", -0.5), ("a", 0.5)])
        ['a', 'b', 'c']
    """
    if any(math.isnan(score) for _, score in ranking):
        raise ValueError("a score is NaN: absence is to be left out, not ranked")
    ids = [video for video, _ in sorted(ranking, key=lambda row: (-row[1], row[0]))]
    if len(set(ids)) < len(ids):
        raise ValueError("a video appears twice in one ranking")
    return ids


def judged_rows(rankings: Mapping[str, Ranking], truth: GroundTruth) -> dict[str, list[tuple[str, float]]]:
    """The rows that the ground truth judges.

    Dropped are videos outside its database, those that are labelled neutral, and the query itself where it
    is part of the database (it would be a free hit).

    Args:
        rankings: rows by query.
        truth: what is right.

    Raises:
        ValueError: a ranking is of an unknown query.
    """
    unlisted = sorted(rankings.keys() - set(truth.queries))
    if unlisted:
        raise ValueError(f"rankings of queries that have no ground truth: {unlisted}")
    database = frozenset(truth.database)
    neutral = {q: {v for v, label in found.items() if label == NEUTRAL} for q, found in truth.labels.items()}
    return {
        q: [(v, score) for v, score in rows if v in database and v != q and v not in neutral.get(q, ())]
        for q, rows in rankings.items()
    }


def judged_pairs(
    rankings: Mapping[str, Ranking], truth: GroundTruth, task: str
) -> tuple[Float64Array, BoolArray]:
    """``[N]`` scores of the pairs of a query and a video that are judged (`judged_rows`), and which match.

    Args:
        rankings: rows by query.
        truth: what is right.
        task: whose labels count as a match.

    Raises:
        ValueError: a ranking is of an unknown query.
    """
    positives = truth.positives(task)
    judged = [
        (score, video in positives[query])
        for query, rows in judged_rows(rankings, truth).items()
        for video, score in rows
    ]
    scores, matches = np.array(judged, dtype=np.float64).reshape(-1, 2).T
    return scores, matches == 1
