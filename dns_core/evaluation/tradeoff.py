"""What a system gains for what it spends."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class TradeoffPoint:
    """One setting of the re-ranking budget, and what it gave.

    Attributes:
        budget: share of the candidates that are re-ranked by the fine network, in [0, 1].
        mean_average_precision: in [0, 1].
        seconds_per_query: wall-clock seconds, measured with the results.
        bytes_per_video: storage of an indexed video.
    """

    budget: float
    mean_average_precision: float
    seconds_per_query: float
    bytes_per_video: float


def area_under_tradeoff(points: Sequence[TradeoffPoint]) -> float:
    """Mean average precision averaged over the budget, in [0, 1].

    By the trapezoid rule over the budgets that were measured, divided by their range: a system that
    reaches its best with little re-ranking has a larger area than one that needs all of it.

    Args:
        points: in any order; at least two different budgets.

    Raises:
        ValueError: fewer than two points, or a budget twice.

    Reference:
        Kordopatis-Zilos et al., "DnS: Distill-and-Select for Efficient and Accurate Video Indexing and
        Retrieval", IJCV 2022 (arXiv 2106.13266), which draws performance against the share re-ranked.

    Example:
        >>> area_under_tradeoff([TradeoffPoint(0.0, 0.5, 0.1, 64), TradeoffPoint(1.0, 0.9, 2.0, 64)])
        0.7
    """
    ordered = sorted(points, key=lambda point: point.budget)
    widths = [right.budget - left.budget for left, right in pairwise(ordered)]
    if not widths or min(widths) <= 0:
        raise ValueError(f"expected at least two different budgets, found {[p.budget for p in ordered]}")
    area = sum(
        width * (left.mean_average_precision + right.mean_average_precision) / 2
        for width, (left, right) in zip(widths, pairwise(ordered), strict=True)
    )
    return area / sum(widths)
