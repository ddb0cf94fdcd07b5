"""Our rule and the authors' on small benchmarks, against the slow twins and scikit-learn."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from dns_core.datasets.benchmark import Benchmark, Judged, Measure
from dns_core.evaluation import average_precision
from dns_core.evaluation.benchmark import BenchmarkScorer, Compared
from dns_core.records import GroundTruth, ScoringRule

VIDEOS = tuple(f"v{i:02d}" for i in range(30))
QUERIES = ("q1", "q2", "v03")


def benchmark(**rules: Any) -> Benchmark:
    rng = np.random.default_rng(3)
    labels = {q: {v: "+" if rng.random() < 0.3 else "-" for v in VIDEOS[::2]} for q in QUERIES}
    labels["v03"]["v03"] = "+"
    truth = GroundTruth(QUERIES, VIDEOS, labels, {"all": ("+",), "own": ("+",)})
    return Benchmark("B", truth, judged={"own": Judged(labelled_only=True)}, **rules)


def compared(seed: int = 0, decimals: int = 1) -> Compared:
    scores = np.random.default_rng(seed).random((len(QUERIES), len(VIDEOS))).round(decimals)
    return Compared(
        scores.astype(np.float32), np.ones(len(QUERIES), dtype=bool), np.ones(len(VIDEOS), dtype=bool)
    )


def slow(found: Compared, bench: Benchmark, task: str) -> float:
    """Ours, by the function that every other measure uses."""
    values = []
    for row, query in enumerate(QUERIES):
        labels = bench.truth.labels[query]
        kept = [
            (v, float(found.scores[row, i]))
            for i, v in enumerate(VIDEOS)
            if v != query and (task == "all" or v in labels) and found.videos[i]
        ]
        right = {v for v, label in labels.items() if label == "+"} - {query}
        values.append(average_precision(kept, right) if found.queries[row] else 0.0)
    return sum(values) / len(values)


@pytest.mark.parametrize("task", ["all", "own"])
@pytest.mark.parametrize("lost", [(), (0, 2, 5, 8)])
def test_our_rule_is_that_of_the_plain_measure(task: str, lost: tuple[int, ...]) -> None:
    found = compared()
    found.videos[list(lost)] = False
    bench = benchmark()
    figure = BenchmarkScorer(bench).figures(found, "corrected")[task]
    assert figure.value == pytest.approx(slow(found, bench, task))
    assert figure.n_queries == 3


@pytest.mark.parametrize("seed", range(3))
def test_losing_what_is_right_never_helps_under_our_rule(seed: int) -> None:
    bench = benchmark()
    judge = BenchmarkScorer(bench)
    for row, query in enumerate(QUERIES):
        alone = compared(seed)
        alone.queries[:] = np.arange(len(QUERIES)) == row
        whole = judge.figures(alone, "corrected")["all"].value
        for video, label in bench.truth.labels[query].items():
            if label == "+" and video != query:
                alone.videos[:] = np.array(VIDEOS) != video
                lost = judge.figures(alone, "corrected")["all"].value
                assert lost is not None
                assert whole is not None
                assert lost < whole


def test_the_authors_leave_out_what_was_not_found() -> None:
    found = compared()
    hard = [i for i, v in enumerate(VIDEOS) if found.scores[0, i] < 0.5]
    found.videos[hard] = False
    judge = BenchmarkScorer(benchmark())
    theirs, ours = (judge.figures(found, rule)["all"].value for rule in ("reference", "corrected"))
    assert theirs is not None
    assert ours is not None
    assert theirs > ours


@pytest.mark.parametrize("decimals", [1, 6])
def test_ties_count_together_for_svd_as_in_scikit_learn(decimals: int) -> None:
    found = compared(decimals=decimals)
    bench = benchmark(measure="thresholds", own_entry=True)
    expected = np.mean(
        [
            average_precision_score(
                [bench.truth.labels[q].get(v) == "+" for v in VIDEOS], found.scores[row].astype(np.float64)
            )
            for row, q in enumerate(QUERIES)
        ]
    )
    assert BenchmarkScorer(bench).figures(found, "reference")["all"].value == pytest.approx(expected)


@pytest.mark.parametrize(("own_entry", "hit"), [(True, True), (False, False)])
def test_whether_a_query_finds_itself_is_the_authors_choice(own_entry: bool, hit: bool) -> None:
    found = compared()
    found.scores[2] = 0
    found.scores[2, VIDEOS.index("v03")] = 1
    found.queries[:2] = False
    value = BenchmarkScorer(benchmark(own_entry=own_entry)).figures(found, "reference")["all"].value
    without = compared()
    without.scores[2] = 0
    without.queries[:2] = False
    other = BenchmarkScorer(benchmark(own_entry=own_entry)).figures(without, "reference")["all"].value
    assert (value != other) == hit


@pytest.mark.parametrize(
    ("measure", "rule", "expected"),
    [("ranks", "reference", None), ("trapezoid", "reference", 0.0), ("thresholds", "reference", 0.0)],
)
def test_a_query_without_anything_to_find(
    measure: Measure, rule: ScoringRule, expected: float | None
) -> None:
    truth = GroundTruth(("q", "r"), ("a", "b"), {"q": {"a": "+"}, "r": {}}, {"t": ("+",)})
    judge = BenchmarkScorer(Benchmark("B", truth, measure=measure))
    found = Compared(np.ones((2, 2), np.float32), np.ones(2, dtype=bool), np.ones(2, dtype=bool))
    figure = judge.figures(found, rule)["t"]
    assert (figure.value is None) == (expected is None)
    ours = judge.figures(found, "corrected")["t"]
    assert (ours.value, ours.n_queries) == (1.0, 1)


def test_clean_tasks_take_videos_out_of_list_and_denominator() -> None:
    truth = GroundTruth(("q",), ("a", "b", "c"), {"q": {"a": "+", "c": "+"}}, {"t": ("+",), "clean": ("+",)})
    bench = Benchmark("B", truth, judged={"clean": Judged(clean=True)}, excluded={"q": frozenset({"c"})})
    found = Compared(np.array([[0.2, 0.1, 0.9]], np.float32), np.ones(1, dtype=bool), np.ones(3, dtype=bool))
    figures = BenchmarkScorer(bench).figures(found, "corrected")
    assert (figures["t"].value, figures["clean"].value) == (1.0, 1.0)
    found = Compared(np.array([[0.1, 0.2, 0.9]], np.float32), np.ones(1, dtype=bool), np.ones(3, dtype=bool))
    figures = BenchmarkScorer(bench).figures(found, "corrected")
    assert figures["t"].value == pytest.approx((1 + 2 / 3) / 2)
    assert figures["clean"].value == pytest.approx(1 / 2)


def test_groups_weigh_the_same_in_their_mean() -> None:
    truth = GroundTruth(
        ("q", "r", "s"), ("a", "b"), {"q": {"a": "+"}, "r": {"a": "+"}, "s": {"b": "+"}}, {"t": ("+",)}
    )
    bench = Benchmark("B", truth, measure="trapezoid", groups={"q": "x", "r": "x", "s": "y"})
    scores = np.array([[1, 0], [1, 0], [1, 0]], np.float32)
    figure = BenchmarkScorer(bench).figures(
        Compared(scores, np.ones(3, dtype=bool), np.ones(2, dtype=bool)), "reference"
    )["t"]
    assert figure.by_group == {"x": 1.0, "y": 0.25}
    assert figure.group_mean == pytest.approx(0.625)
    assert figure.value == pytest.approx(0.75)


def test_a_score_that_is_no_number_is_refused_unless_it_stands_for_absence() -> None:
    found = compared()
    found.scores[1, 4] = np.nan
    judge = BenchmarkScorer(benchmark())
    with pytest.raises(ValueError, match="NaN"):
        judge.figures(found, "corrected")
    found.videos[4] = False
    judge.figures(found, "corrected")
