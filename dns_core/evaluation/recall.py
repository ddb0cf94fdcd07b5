"""Recall at the top of a ranked list."""

from collections.abc import Set as AbstractSet

from dns_core.evaluation.ranking import Ranking, ranked_ids


def recall_at_k(ranking: Ranking, positives: AbstractSet[str], k: int) -> float:
    """Share of the places that positives could take among the first ``k`` that they do take, in [0, 1].

    Divided by the smaller of ``k`` and the number of positives, so that 1 can always be reached; at
    ``k = 1`` its mean over queries is the share of queries whose first result is right.

    Args:
        ranking: ``(video_id, score)`` rows in any order, ties break by id.
        positives: ids that are right; at least one.
        k: how many results are looked at, at least 1.

    Raises:
        ValueError: there is no positive, or ``k`` is below 1.

    Example:
        >>> recall_at_k([("a", 0.9), ("b", 0.5)], {"a", "lost"}, k=2)
        0.5
    """
    if not positives or k < 1:
        raise ValueError(f"recall needs a positive and k of at least 1, found {len(positives)} and {k}")
    found = sum(video in positives for video in ranked_ids(ranking)[:k])
    return found / min(k, len(positives))
