"""Average precision between the points of the precision-recall curve, as EVVE's authors define it."""

import numpy as np

from dns_core.records import Int64Array


def trapezoidal_average_precision(positions: Int64Array, n_positives: int) -> float:
    """Area under the precision-recall curve by trapezoids, in [0, 1].

    Each positive adds the mean of the precision just before it and at it, over one step of recall; before
    the first result precision counts as 1. A positive that was not found adds nothing.

    Args:
        positions: ``[P]`` increasing places of the positives that were found; 0 is the first.
        n_positives: all that there are, at least 1.

    Reference: Revaud et al., "Event retrieval in large video collections", CVPR 2013, and its evaluation.

    Example:
        >>> trapezoidal_average_precision(np.array([1]), 1)
        0.25
    """
    found = np.arange(len(positions), dtype=np.float64)
    before = np.where(positions == 0, 1.0, found / np.maximum(positions, 1))
    return float((before + (found + 1) / (positions + 1)).sum() / (2 * n_positives))
