"""The one order of results that every measure uses."""

import math
from collections.abc import Mapping, Sequence

from dns_core.records import GroundTruth

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

    Dropped are videos outside its database, and the query itself where it is part of the database (it
    would be a free hit).

    Args:
        rankings: rows by query.
        truth: what is right.

    Raises:
        ValueError: a ranking is of an unknown query.
    """
    strangers = sorted(rankings.keys() - set(truth.queries))
    if strangers:
        raise ValueError(f"rankings of queries that have no ground truth: {strangers}")
    database = frozenset(truth.database)
    return {q: [(v, score) for v, score in rows if v in database and v != q] for q, rows in rankings.items()}
