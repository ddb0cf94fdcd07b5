"""What a ranked list is worth, from the list and the ground truth alone: no model, no index, no torch."""

from dns_core.evaluation.average_precision import average_precision
from dns_core.evaluation.coverage import coverage
from dns_core.evaluation.mean_average_precision import MeanAveragePrecision, mean_average_precision
from dns_core.evaluation.micro_average_precision import micro_average_precision
from dns_core.evaluation.precision_recall import PrecisionRecallCurve, precision_recall_curve
from dns_core.evaluation.protocol import Report, TaskReport, evaluate_rankings
from dns_core.evaluation.ranking import Ranking, ranked_ids
from dns_core.evaluation.recall import recall_at_k
from dns_core.evaluation.segments import (
    Localisation,
    SegmentOverlap,
    evaluate_localisation,
    evaluate_segments,
    segment_overlap,
)
from dns_core.evaluation.tradeoff import TradeoffPoint, area_under_tradeoff

__all__ = [
    "Localisation",
    "MeanAveragePrecision",
    "PrecisionRecallCurve",
    "Ranking",
    "Report",
    "SegmentOverlap",
    "TaskReport",
    "TradeoffPoint",
    "area_under_tradeoff",
    "average_precision",
    "coverage",
    "evaluate_localisation",
    "evaluate_rankings",
    "evaluate_segments",
    "mean_average_precision",
    "micro_average_precision",
    "precision_recall_curve",
    "ranked_ids",
    "recall_at_k",
    "segment_overlap",
]
