"""How well predicted stretches of video overlap the true ones, on both time axes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from dns_core.records import GroundTruth, Segment

SegmentsByPair = Mapping[str, Mapping[str, Sequence[Segment]]]
"""``[query][video]``: the stretches of a pair."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class AxisOverlap:
    """Seconds on one time axis, summed.

    Attributes:
        predicted_s: length of the predicted segments.
        predicted_hit_s: of these, seconds that true segments explain.
        true_s: length of the true segments.
        true_hit_s: of these, seconds that predicted segments find.
    """

    predicted_s: float = 0.0
    predicted_hit_s: float = 0.0
    true_s: float = 0.0
    true_hit_s: float = 0.0

    def __add__(self, other: "AxisOverlap") -> "AxisOverlap":
        return AxisOverlap(
            self.predicted_s + other.predicted_s,
            self.predicted_hit_s + other.predicted_hit_s,
            self.true_s + other.true_s,
            self.true_hit_s + other.true_hit_s,
        )


@dataclass(frozen=True, slots=True)
class SegmentOverlap:
    """Overlap of one pair of videos, or the sum of many pairs (add them)."""

    query: AxisOverlap = AxisOverlap()
    target: AxisOverlap = AxisOverlap()

    def __add__(self, other: "SegmentOverlap") -> "SegmentOverlap":
        return SegmentOverlap(self.query + other.query, self.target + other.target)

    @property
    def precision(self) -> float:
        """Product over the axes of the share of predicted seconds that are right; 1 if none is predicted."""
        return _share(self.query.predicted_hit_s, self.query.predicted_s) * _share(
            self.target.predicted_hit_s, self.target.predicted_s
        )

    @property
    def recall(self) -> float:
        """Product over the axes of the share of true seconds that are found; 1 if there are none."""
        return _share(self.query.true_hit_s, self.query.true_s) * _share(
            self.target.true_hit_s, self.target.true_s
        )

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if both are 0."""
        return _f1(self.precision, self.recall)


def segment_overlap(predicted: Sequence[Segment], true: Sequence[Segment]) -> SegmentOverlap:
    """Overlap of the segments of one pair of videos, by the protocol of VCSL.

    A segment is a rectangle: query time by target time. Two segments meet if their rectangles share
    area; each then covers, on each axis, the shared interval. On one axis, the seconds of a predicted
    segment that are right are the union of what all true segments share with it (so a true segment
    cut in two predictions is found whole, and no second counts twice within a segment), and the
    denominator is the sum of the predicted lengths (so predicting the same stretch twice costs nothing,
    but a stretch too long costs). Recall is the same with the roles changed.

    Args:
        predicted: segments in any order; scores are not looked at.
        true: segments in any order.

    Reference:
        He et al., "A Large-scale Comprehensive Dataset and Copy-overlap Aware Evaluation Protocol for
        Segment-level Video Copy Detection", CVPR 2022, section 4 (precision and recall of a pair).

    Example:
        >>> whole, half = Segment(0, 10, 0, 10, 1.0), Segment(0, 5, 0, 5, 1.0)
        >>> segment_overlap([half], [whole]).precision, segment_overlap([half], [whole]).recall
        (1.0, 0.25)
    """
    return SegmentOverlap(*(_axis_overlap(predicted, true, axis) for axis in ("query", "target")))


def evaluate_segments(predicted: SegmentsByPair, truth: GroundTruth) -> SegmentOverlap:
    """Sum of the overlaps of all pairs whose truth is known.

    Pairs are pooled: every second weighs the same, as in the Video Similarity Challenge 2022, so that
    wrong predictions for unrelated videos lower precision however many videos there are. VCSL itself
    takes the mean over pairs, where a wrong prediction for an unrelated pair *raises* recall. A query
    for which the truth lists no segments is left out, and so is a video that is labelled as related
    without segments: where they match is not known.

    Args:
        predicted: segments by query and video; pairs without a prediction may be left out.
        truth: ``truth.segments`` says where pairs match.
    """
    total = SegmentOverlap()
    for query, true_by_video in truth.segments.items():
        by_video = predicted.get(query, {})
        unknown = truth.labels.get(query, {}).keys() - true_by_video.keys()
        for video in (true_by_video.keys() | by_video.keys()) - unknown:
            total += segment_overlap(by_video.get(video, ()), true_by_video.get(video, ()))
    return total


@dataclass(frozen=True, slots=True)
class Localisation:
    """Means over pairs of videos.

    Attributes:
        precision: of the segments of a pair; 1 where none is predicted.
        recall: likewise.
    """

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; 0 if both are 0."""
        return _f1(self.precision, self.recall)


def evaluate_localisation(predicted: SegmentsByPair, truth: GroundTruth) -> Localisation:
    """How well segments are located in the pairs that do match, each pair counting the same.

    This is the protocol of VCSL over its related pairs; whether unrelated videos get segments too is what
    `evaluate_segments` judges.

    Args:
        predicted: segments by query and video, asked for every pair of ``truth.segments``.
        truth: ``truth.segments`` says where pairs match; at least one pair.

    Reference:
        As for `segment_overlap`.
    """
    overlaps = [
        segment_overlap(predicted.get(query, {}).get(video, ()), true)
        for query, by_video in truth.segments.items()
        for video, true in by_video.items()
    ]
    return Localisation(fmean(o.precision for o in overlaps), fmean(o.recall for o in overlaps))


def _axis_overlap(predicted: Sequence[Segment], true: Sequence[Segment], axis: str) -> AxisOverlap:
    return AxisOverlap(
        predicted_s=sum(_length(_interval(segment, axis)) for segment in predicted),
        predicted_hit_s=sum(_hit_s(segment, true, axis) for segment in predicted),
        true_s=sum(_length(_interval(segment, axis)) for segment in true),
        true_hit_s=sum(_hit_s(segment, predicted, axis) for segment in true),
    )


def _hit_s(segment: Segment, others: Sequence[Segment], axis: str) -> float:
    """Seconds of ``segment`` on one axis that are in the union of what it shares with ``others``."""
    return _union_length(
        _shared(segment, other, axis)
        for other in others
        if all(_length(_shared(segment, other, a)) > 0 for a in ("query", "target"))
    )


def _shared(a: Segment, b: Segment, axis: str) -> Interval:
    (start_a, end_a), (start_b, end_b) = _interval(a, axis), _interval(b, axis)
    return max(start_a, start_b), min(end_a, end_b)


def _interval(segment: Segment, axis: str) -> Interval:
    if axis == "query":
        return segment.query_start_s, segment.query_end_s
    return segment.target_start_s, segment.target_end_s


def _length(interval: Interval) -> float:
    return max(0.0, interval[1] - interval[0])


def _union_length(intervals: Iterable[Interval]) -> float:
    total, reached = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _f1(precision: float, recall: float) -> float:
    total = precision + recall
    return 2 * precision * recall / total if total else 0.0
