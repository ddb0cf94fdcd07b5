import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_core.evaluation import SegmentOverlap, evaluate_localisation, evaluate_segments, segment_overlap
from dns_core.records import GroundTruth, Segment


def segment(query_start: float, query_end: float, target_start: float, target_end: float) -> Segment:
    return Segment(query_start, query_end, target_start, target_end, 1.0)


def test_a_perfect_prediction() -> None:
    overlap = segment_overlap([segment(0, 10, 20, 30)], [segment(0, 10, 20, 30)])
    assert (overlap.precision, overlap.recall, overlap.f1) == (1, 1, 1)


def test_a_shifted_prediction_by_hand() -> None:
    # Query: 8 of 10 s right. Target: 6 of 12 s right, 6 of 10 s found.
    overlap = segment_overlap([segment(2, 12, 24, 36)], [segment(0, 10, 20, 30)])
    assert overlap.precision == pytest.approx(0.8 * 0.5)
    assert overlap.recall == pytest.approx(0.8 * 0.6)
    assert overlap.f1 == pytest.approx(2 * 0.4 * 0.48 / 0.88)


def test_the_right_query_time_at_the_wrong_target_time_is_wrong() -> None:
    overlap = segment_overlap([segment(0, 10, 50, 60)], [segment(0, 10, 20, 30)])
    assert (overlap.precision, overlap.recall, overlap.f1) == (0, 0, 0)


def test_one_true_segment_in_two_predictions_is_found_whole() -> None:
    halves = [segment(0, 5, 20, 25), segment(5, 10, 25, 30)]
    overlap = segment_overlap(halves, [segment(0, 10, 20, 30)])
    assert (overlap.precision, overlap.recall) == (1, 1)


def test_overlapping_predictions_do_not_find_a_second_twice() -> None:
    overlap = segment_overlap([segment(0, 6, 0, 6), segment(4, 8, 4, 8)], [segment(0, 10, 0, 10)])
    assert overlap.recall == pytest.approx(0.8 * 0.8)
    assert overlap.precision == 1


def test_nothing_predicted_and_nothing_true() -> None:
    true = [segment(0, 10, 0, 10)]
    assert (segment_overlap([], true).precision, segment_overlap([], true).recall) == (1, 0)
    assert (segment_overlap(true, []).precision, segment_overlap(true, []).recall) == (0, 1)
    assert segment_overlap([], []).f1 == 1
    assert segment_overlap([], true).f1 == 0


def test_localisation_is_the_mean_over_the_pairs_that_match() -> None:
    truth = GroundTruth(
        ("q",),
        ("a", "b", "c"),
        {"q": {"a": "ND", "b": "ND"}},
        {"DSVR": ("ND",)},
        {"q": {"a": (segment(0, 10, 0, 10),), "b": (segment(0, 10, 20, 30),)}},
    )
    # Of a half is found on both axes; nothing is predicted for b; what is predicted for c is not asked for.
    found = evaluate_localisation({"q": {"a": (segment(0, 5, 0, 5),), "c": (segment(0, 9, 0, 9),)}}, truth)
    assert (found.precision, found.recall) == (1, 0.125)
    assert found.f1 == pytest.approx(2 * 0.125 / 1.125)


TIMES = st.tuples(st.integers(0, 20), st.integers(1, 10)).map(lambda t: (float(t[0]), float(t[0] + t[1])))
SEGMENTS = st.lists(st.tuples(TIMES, TIMES).map(lambda s: segment(*s[0], *s[1])), max_size=4)


@given(predicted=SEGMENTS, true=SEGMENTS)
def test_changing_roles_changes_precision_and_recall(predicted: list[Segment], true: list[Segment]) -> None:
    there, back = segment_overlap(predicted, true), segment_overlap(true, predicted)
    assert there.precision == back.recall
    assert 0 <= there.f1 <= 1


@given(true=SEGMENTS.filter(bool))
def test_the_truth_predicts_itself(true: list[Segment]) -> None:
    assert segment_overlap(true, true).f1 == 1


@given(predicted=SEGMENTS, true=SEGMENTS)
def test_lengths_agree_with_a_raster_of_seconds(predicted: list[Segment], true: list[Segment]) -> None:
    """The slow twin: count whole seconds one by one."""

    def hits(segments: list[Segment], others: list[Segment]) -> int:
        count = 0
        for one in segments:
            for second in range(int(one.query_start_s), int(one.query_end_s)):
                count += any(
                    other.query_start_s <= second < other.query_end_s
                    and min(one.target_end_s, other.target_end_s)
                    > max(one.target_start_s, other.target_start_s)
                    for other in others
                )
        return count

    overlap = segment_overlap(predicted, true)
    assert overlap.query.predicted_hit_s == hits(predicted, true)
    assert overlap.query.true_hit_s == hits(true, predicted)


def test_pairs_are_pooled_and_unknown_pairs_left_out() -> None:
    truth = GroundTruth(
        queries=("q", "unlocated"),
        database=("a", "b", "c", "other"),
        labels={"q": {"a": "ND", "b": "ND", "c": "ND"}, "unlocated": {"a": "ND"}},
        tasks={"T": ("ND",)},
        segments={"q": {"a": (segment(0, 10, 0, 10),), "b": (segment(0, 30, 0, 30),)}},
    )
    predicted = {
        "q": {
            "a": [segment(0, 10, 0, 10)],  # right
            "c": [segment(0, 99, 0, 99)],  # related, but where is not known: not judged
            "other": [segment(0, 10, 5, 15)],  # an unrelated video: wrong
        },
        "unlocated": {"a": [segment(0, 99, 0, 99)]},
    }
    total = evaluate_segments(predicted, truth)
    assert total.query.predicted_s == 20
    assert total.precision == pytest.approx(0.5 * 0.5)
    assert total.recall == pytest.approx(0.25 * 0.25)


def test_no_truth_is_no_overlap() -> None:
    truth = GroundTruth(("q",), ("a",), {}, {"T": ("ND",)})
    assert evaluate_segments({"q": {"a": [segment(0, 1, 0, 1)]}}, truth) == SegmentOverlap()
