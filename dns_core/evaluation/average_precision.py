"""Average precision of one ranked list."""

from collections.abc import Set as AbstractSet

from dns_core.evaluation.ranking import Ranking, ranked_ids


def average_precision(ranking: Ranking, positives: AbstractSet[str]) -> float:
    """Mean, over all positives, of the precision at the rank where each is found; in [0, 1].

    A positive that the list does not hold (it was cut off, or could not be read) counts 0: the
    denominator is the number of positives there are, never of those that were found. So losing a hard
    positive can only lower the figure.

    Args:
        ranking: ``(video_id, score)`` rows in any order; higher scores are closer, ties break by id.
        positives: ids that are right; at least one.

    Returns:
        1 if every positive stands before every other row, 0 if none was found.

    Raises:
        ValueError: there is no positive, so that nothing can be averaged.

    Example:
        >>> average_precision([("a", 0.9), ("b", 0.1), ("c", -0.4)], {"a", "c", "lost"})
        0.5555555555555555
    """
    if not positives:
        raise ValueError("average precision needs at least one positive")
    found, total = 0, 0.0
    for rank, video in enumerate(ranked_ids(ranking), start=1):
        if video in positives:
            found += 1
            total += found / rank
    return total / len(positives)
