import subprocess
import sys

import pytest

from dns_core.errors import GroundTruthError
from dns_core.evaluation import evaluate_rankings
from dns_core.records import GroundTruth

TRUTH = GroundTruth(
    queries=("p", "q", "r"),
    database=("a", "b", "c", "p"),
    labels={"p": {"p": "ND", "a": "ND"}, "q": {"a": "ND", "b": "IS"}, "r": {"c": "IS"}},
    tasks={"DSVR": ("ND",), "ISVR": ("ND", "IS")},
)


def test_figures_by_hand() -> None:
    rankings = {"p": [("p", 9.0), ("b", 0.9), ("a", 0.5)], "q": [("a", 0.8), ("c", 0.7), ("b", 0.6)]}
    report = evaluate_rankings(rankings, TRUTH)
    dsvr, isvr = report.tasks["DSVR"], report.tasks["ISVR"]
    # p: its own entry is dropped, so a stands second. r has nothing to find among ND.
    assert dsvr.per_query == {"p": 0.5, "q": 1.0}
    assert (dsvr.mean_average_precision, dsvr.n_queries, dsvr.n_excluded) == (0.75, 2, 1)
    assert dsvr.recall_at_1 == 0.5
    assert dsvr.recall_at_10 == 1.0
    # All pairs: p-b .9 wrong, q-a .8 right, q-c .7 wrong, q-b .6 wrong, p-a .5 right.
    assert dsvr.micro_average_precision == pytest.approx((1 / 2 + 2 / 5) / 2)
    # r was not answered and counts 0.
    assert isvr.per_query == {"p": 0.5, "q": pytest.approx((1 + 2 / 3) / 2), "r": 0.0}
    assert isvr.n_queries == 3
    assert report.missing_queries == ("r",)
    assert (report.n_queries, report.n_videos) == (3, 4)


def test_losing_a_video_lowers_the_figure_and_shows_in_coverage() -> None:
    whole = {"p": [("a", 0.5), ("b", 0.4), ("c", 0.1)], "q": [("a", 0.8), ("b", 0.7)], "r": [("c", 0.1)]}
    without_a = {query: [row for row in rows if row[0] != "a"] for query, rows in whole.items()}
    searched = ("a", "b", "c", "p")
    before = evaluate_rankings(whole, TRUTH, compared=searched)
    after = evaluate_rankings(without_a, TRUTH, compared=("b", "c", "p"))
    assert before.coverage == 1
    assert after.coverage == 0.75
    assert after.missing_videos == ("a",)
    for task in TRUTH.tasks:
        assert after.tasks[task].mean_average_precision < before.tasks[task].mean_average_precision
        assert after.tasks[task].n_queries == before.tasks[task].n_queries


def test_coverage_multiplies_queries_and_videos() -> None:
    report = evaluate_rankings({"p": [("a", 1.0)]}, TRUTH)
    assert report.coverage == pytest.approx(1 / 3 * 1 / 4)


def test_videos_outside_the_database_are_not_judged() -> None:
    rankings = {"q": [("unrelated", 0.9), ("a", 0.8)]}
    assert evaluate_rankings(rankings, TRUTH).tasks["DSVR"].per_query["q"] == 1


def test_a_task_that_nothing_can_answer_is_refused() -> None:
    truth = GroundTruth(("q",), ("a",), {"q": {"a": "ND"}}, {"CS only": ("CS",)})
    with pytest.raises(GroundTruthError, match="CS only"):
        evaluate_rankings({"q": [("a", 1.0)]}, truth)


def test_a_ranking_of_an_unknown_query_is_refused() -> None:
    with pytest.raises(ValueError, match="unrelated"):
        evaluate_rankings({"unrelated": [("a", 1.0)]}, TRUTH)


def test_the_judge_loads_no_model() -> None:
    code = (
        "import sys, dns_core.evaluation, dns_core.datasets;"
        "print([m for m in ('torch', 'faiss', 'av', 'numba', 'h5py', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
