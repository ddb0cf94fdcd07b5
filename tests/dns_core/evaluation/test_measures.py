"""Cases worked out by hand."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import dns_core.evaluation
from dns_core.evaluation import (
    TradeoffPoint,
    area_under_tradeoff,
    average_precision,
    coverage,
    mean_average_precision,
    micro_average_precision,
    precision_recall_curve,
    ranked_ids,
    recall_at_k,
)
from dns_core.evaluation.cost import bytes_per_video, descriptor_bytes

MODULES = sorted(m.name for m in pkgutil.iter_modules(dns_core.evaluation.__path__, "dns_core.evaluation."))


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_ties_break_by_id_for_either_sign() -> None:
    assert ranked_ids([("c", 0.0), ("b", -1.0), ("a", 0.0), ("d", 0.1)]) == ["d", "a", "c", "b"]


@pytest.mark.parametrize("rows", [[("a", float("nan"))], [("a", 1.0), ("a", 0.5)]])
def test_a_ranking_that_cannot_be_ordered_is_refused(rows: list[tuple[str, float]]) -> None:
    with pytest.raises(ValueError, match=r"NaN|twice"):
        ranked_ids(rows)
    with pytest.raises(ValueError, match=r"NaN|twice"):
        micro_average_precision({"q": rows}, {"q": {"a"}})


def test_average_precision_by_hand() -> None:
    ranking = [("a", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.6)]
    assert average_precision(ranking, {"a", "c"}) == (1 / 1 + 2 / 3) / 2
    assert average_precision(ranking, {"a", "c", "not found"}) == pytest.approx((1 / 1 + 2 / 3) / 3)
    assert average_precision([], {"a"}) == 0


def test_positives_with_scores_of_zero_and_below_count() -> None:
    # The case that torchmetrics since 1.7.4 answers with 0.
    assert average_precision([("a", -0.1), ("b", -0.2)], {"a"}) == 1


@pytest.mark.parametrize("measure", [average_precision, lambda r, p: recall_at_k(r, p, 1)])
def test_a_measure_without_positives_is_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="positive"):
        measure([("a", 1.0)], frozenset())


@pytest.mark.parametrize("measure", [mean_average_precision, micro_average_precision, precision_recall_curve])
def test_a_measure_of_many_queries_without_positives_is_refused(measure: object) -> None:
    assert callable(measure)
    with pytest.raises(ValueError, match="positive"):
        measure({"q": [("a", 1.0)]}, {"q": frozenset()})


def test_mean_average_precision_excludes_and_names_queries_without_positives() -> None:
    rankings = {"p": [("a", 1.0)], "q": [("b", 1.0), ("a", 0.5)], "none": [("a", 1.0)]}
    mean = mean_average_precision(rankings, {"p": {"a"}, "q": {"a"}, "none": set(), "unread": {"a"}})
    assert mean.per_query == {"p": 1.0, "q": 0.5, "unread": 0.0}
    assert mean.value == 0.5
    assert mean.excluded == ("none",)


def test_a_ranking_of_a_query_without_ground_truth_is_refused() -> None:
    with pytest.raises(ValueError, match="unrelated"):
        mean_average_precision({"unrelated": []}, {"q": {"a"}})


def test_micro_average_precision_punishes_scores_that_are_not_comparable() -> None:
    rankings = {"p": [("a", 0.3), ("b", 0.2)], "q": [("a", 0.9), ("b", 0.8)]}
    positives = {"p": {"a"}, "q": {"a"}}
    assert mean_average_precision(rankings, positives).value == 1
    assert micro_average_precision(rankings, positives) == (1 / 1 + 2 / 3) / 2


def test_micro_average_precision_keeps_unfound_pairs_in_the_denominator() -> None:
    assert micro_average_precision({"p": [("a", 0.3)]}, {"p": {"a"}, "q": {"a", "b", "c"}}) == 0.25
    assert micro_average_precision({}, {"p": {"a"}}) == 0


def test_the_curve_by_hand() -> None:
    rankings = {"p": [("a", 0.9), ("b", 0.5)], "q": [("a", 0.5), ("b", -0.1)]}
    curve = precision_recall_curve(rankings, {"p": {"a"}, "q": {"a", "lost"}, "unread": {"a"}})
    np.testing.assert_array_equal(curve.thresholds, [0.9, 0.5, -0.1])
    np.testing.assert_allclose(curve.precision, [1, 2 / 3, 2 / 4])
    np.testing.assert_allclose(curve.recall, [1 / 4, 2 / 4, 2 / 4])


def test_the_curve_of_nothing_found_is_empty() -> None:
    assert precision_recall_curve({}, {"q": {"a"}}).thresholds.size == 0


def test_recall_by_hand() -> None:
    ranking = [("a", 0.9), ("b", 0.8), ("c", 0.7)]
    assert recall_at_k(ranking, {"a"}, 1) == 1
    assert recall_at_k(ranking, {"b"}, 1) == 0
    assert recall_at_k(ranking, {"b", "c", "lost"}, 2) == 0.5
    assert recall_at_k(ranking, {"b", "c", "lost"}, 10) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="k of at least 1"):
        recall_at_k(ranking, {"a"}, 0)


def test_coverage_counts_what_was_expected() -> None:
    assert coverage(["a", "b", "c", "d"], ["a", "d", "e"]) == 0.5
    assert coverage([], ["a"]) == 1
    assert coverage(["a"], []) == 0


def test_area_weighs_uneven_steps_by_their_width() -> None:
    points = [TradeoffPoint(b, m, 1.0, 1.0) for b, m in [(1.0, 0.9), (0.0, 0.5), (0.1, 0.9)]]
    assert area_under_tradeoff(points) == pytest.approx(0.1 * 0.7 + 0.9 * 0.9)


@pytest.mark.parametrize("budgets", [[], [0.5], [0.5, 0.5]])
def test_area_needs_different_budgets(budgets: list[float]) -> None:
    with pytest.raises(ValueError, match="different budgets"):
        area_under_tradeoff([TradeoffPoint(b, 0.5, 1.0, 1.0) for b in budgets])


def test_storage_is_that_of_the_papers_table() -> None:
    teacher = descriptor_bytes(n_vectors=9, dims=3840, bits_per_dim=32)
    attention = descriptor_bytes(n_vectors=9, dims=512, bits_per_dim=32)
    binary = descriptor_bytes(n_vectors=9, dims=512, bits_per_dim=1)
    assert (teacher, attention, binary) == (135 * 1024, 18 * 1024, 576)
    assert teacher // binary == 240
    assert descriptor_bytes(n_vectors=2, dims=9, bits_per_dim=1) == 4


def test_bytes_a_video_is_the_mean() -> None:
    assert bytes_per_video([300, 100], 4) == 100
    assert bytes_per_video([300], 0) == 0
