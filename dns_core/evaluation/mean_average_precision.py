"""Mean of the average precisions of many queries."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dns_core.evaluation.average_precision import average_precision
from dns_core.evaluation.ranking import Ranking


@dataclass(frozen=True, slots=True)
class MeanAveragePrecision:
    """A mean, what it is a mean of, and what could not enter it.

    Attributes:
        value: mean of ``per_query``, in [0, 1].
        per_query: average precision of every query that has a positive.
        excluded: queries without a positive, sorted: there is nothing for them to find.
    """

    value: float
    per_query: Mapping[str, float]
    excluded: tuple[str, ...]


def mean_average_precision(
    rankings: Mapping[str, Ranking], positives: Mapping[str, AbstractSet[str]]
) -> MeanAveragePrecision:
    """Mean over the queries of ``positives``, each query weighing the same.

    A query that has positives but no ranking (its video could not be read) counts 0.

    Args:
        rankings: rows of each query that was answered.
        positives: what is right for every query there is, answered or not.

    Raises:
        ValueError: no query has a positive, or a ranking is of an unknown query.

    Example:
        >>> mean_average_precision({"q": [("a", 1.0)]}, {"q": {"a"}, "unread": {"a"}}).value
        0.5
    """
    unlisted = sorted(rankings.keys() - positives.keys())
    if unlisted:
        raise ValueError(f"rankings of queries that have no ground truth: {unlisted}")
    per_query = {
        query: average_precision(rankings.get(query, ()), right)
        for query, right in sorted(positives.items())
        if right
    }
    if not per_query:
        raise ValueError("no query has a positive")
    excluded = tuple(sorted(positives.keys() - per_query.keys()))
    return MeanAveragePrecision(sum(per_query.values()) / len(per_query), per_query, excluded)
