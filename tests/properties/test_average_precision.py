"""Laws of the measures of ranked lists, and their agreement with scikit-learn."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from dns_core.evaluation import (
    average_precision,
    mean_average_precision,
    micro_average_precision,
    precision_recall_curve,
    recall_at_k,
)

VIDEOS = [f"v{i}" for i in range(12)]
# Few different values, most of them at or below zero: ties and negative scores are the rule here.
SCORES = st.sampled_from([-1.0, -0.5, -0.25, 0.0, 0.25, 1.0])
RANKINGS = st.dictionaries(st.sampled_from(VIDEOS), SCORES).map(lambda rows: list(rows.items()))
POSITIVES = st.sets(st.sampled_from(VIDEOS), min_size=1)
DISTINCT = st.integers(1, 12).flatmap(lambda n: st.permutations([float(i) for i in range(-6, 6)][:n]))


@given(ranking=RANKINGS, positives=POSITIVES, data=st.data())
def test_the_order_of_rows_does_not_matter(
    ranking: list[tuple[str, float]], positives: set[str], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(ranking))
    assert average_precision(shuffled, positives) == average_precision(ranking, positives)
    assert micro_average_precision({"q": shuffled}, {"q": positives}) == micro_average_precision(
        {"q": ranking}, {"q": positives}
    )


@given(ranking=RANKINGS, positives=POSITIVES)
def test_it_is_bounded_and_one_only_if_every_positive_stands_first(
    ranking: list[tuple[str, float]], positives: set[str]
) -> None:
    value = average_precision(ranking, positives)
    assert 0 <= value <= 1
    first = [v for v, _ in sorted(ranking, key=lambda row: (-row[1], row[0]))][: len(positives)]
    assert (value == 1) == (set(first) == positives)


@given(ranking=RANKINGS, positives=POSITIVES, data=st.data())
def test_losing_a_positive_never_raises_it(
    ranking: list[tuple[str, float]], positives: set[str], data: st.DataObject
) -> None:
    lost = data.draw(st.sampled_from(sorted(positives)))
    kept = [row for row in ranking if row[0] != lost]
    assert average_precision(kept, positives) <= average_precision(ranking, positives)


@given(ranking=RANKINGS, positives=POSITIVES)
def test_only_the_order_of_scores_matters(ranking: list[tuple[str, float]], positives: set[str]) -> None:
    raised = [(video, 3 * score + 7) for video, score in ranking]
    assert average_precision(raised, positives) == average_precision(ranking, positives)


@given(scores=DISTINCT, data=st.data())
def test_without_ties_it_is_scikit_learns_for_negative_scores_too(
    scores: list[float], data: st.DataObject
) -> None:
    marks = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    assume(any(marks))
    ranking = list(zip(VIDEOS, scores, strict=False))
    positives = {video for video, mark in zip(VIDEOS, marks, strict=False) if mark}
    expected = average_precision_score(marks, scores)
    assert average_precision(ranking, positives) == pytest.approx(expected, abs=1e-12)
    assert micro_average_precision({"q": ranking}, {"q": positives}) == pytest.approx(expected, abs=1e-12)


@given(data=st.data())
def test_micro_average_precision_is_scikit_learns_over_the_pairs_of_all_queries(data: st.DataObject) -> None:
    scores = data.draw(st.permutations([float(i) for i in range(-6, 6)]))
    marks = data.draw(st.lists(st.booleans(), min_size=12, max_size=12).filter(any))
    queries = {"p": range(5), "q": range(5, 12)}
    rankings = {q: [(VIDEOS[i], scores[i]) for i in rows] for q, rows in queries.items()}
    positives = {q: {VIDEOS[i] for i in rows if marks[i]} for q, rows in queries.items()}
    assert micro_average_precision(rankings, positives) == pytest.approx(
        average_precision_score(marks, scores), abs=1e-12
    )


@given(ranking=RANKINGS, positives=POSITIVES)
def test_the_area_in_steps_under_the_curve_is_scikit_learns_with_ties(
    ranking: list[tuple[str, float]], positives: set[str]
) -> None:
    ranked = {video for video, _ in ranking}
    assume(ranked & positives)
    curve = precision_recall_curve({"q": ranking}, {"q": positives & ranked})
    area = float(np.sum(np.diff(curve.recall, prepend=0.0) * curve.precision))
    marks = [video in positives for video, _ in ranking]
    assert area == pytest.approx(average_precision_score(marks, [s for _, s in ranking]), abs=1e-12)
    assert np.all(np.diff(curve.thresholds) < 0)
    assert curve.recall[-1] == 1.0


@given(ranking=RANKINGS, positives=POSITIVES, k=st.integers(1, 12))
def test_recall_is_bounded_and_whole_once_every_row_is_looked_at(
    ranking: list[tuple[str, float]], positives: set[str], k: int
) -> None:
    assert 0 <= recall_at_k(ranking, positives, k) <= 1
    found = len({video for video, _ in ranking} & positives)
    assert recall_at_k(ranking, positives, 12) == found / len(positives)


@given(rankings=st.dictionaries(st.sampled_from("abc"), RANKINGS), positives=POSITIVES)
def test_an_unanswered_query_lowers_the_mean_as_much_as_one_that_found_nothing(
    rankings: dict[str, list[tuple[str, float]]], positives: set[str]
) -> None:
    truth = dict.fromkeys("abcd", positives)
    without = mean_average_precision(rankings, truth)
    empty = mean_average_precision({**rankings, "d": []}, truth)
    assert without.value == empty.value
    assert len(without.per_query) == 4
