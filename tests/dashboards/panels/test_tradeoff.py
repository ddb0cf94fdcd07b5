"""Points of a report, their Pareto front, and what is drawn of them."""

from typing import Any

import pytest

from dashboards.panels.published import BENCHMARK, PUBLISHED
from dashboards.panels.tradeoff import (
    Point,
    differing_params,
    pareto_front,
    report_points,
    report_tasks,
    tradeoff_figure,
)


def row(method: str, budget: float | None, found: float, seconds: float, size: float) -> dict[str, Any]:
    return {
        "method": method,
        "budget": budget,
        "map": {"DSVR": found, "ISVR": found / 2},
        "seconds_per_query": seconds,
        "bytes_per_video": size,
    }


REPORT: Any = {  # of older runs, which say less
    "database": 100,
    "methods": [
        row("teacher", None, 0.93, 0.14, 300_000),
        row("coarse", None, 0.83, 0.004, 2_000),
        row("dns_fine_binary", 0.3, 0.92, 0.02, 22_000),
        row("dns_fine_attention", 0.3, 0.91, 0.03, 300_000),
    ],
}


def test_points_are_of_one_task_and_carry_the_names_that_people_use() -> None:
    points = report_points("run", REPORT, "ISVR")
    assert [p.setting for p in points][2] == "DnS binary, 30% re-ranked"
    assert points[0].precision == pytest.approx(0.465)
    assert report_tasks([REPORT]) == ["DSVR", "ISVR"]
    assert report_points("run", REPORT, "unknown") == []


def test_the_front_holds_what_nothing_beats_at_its_cost() -> None:
    points = report_points("run", REPORT, "DSVR")
    fast = pareto_front(points, "seconds_per_query")
    assert [p.method for p in fast] == ["coarse", "DnS binary", "teacher"]
    for point in points:
        beaten = any(
            p.seconds_per_query <= point.seconds_per_query and p.precision > point.precision for p in points
        )
        assert (point in fast) == (not beaten)


def test_times_that_cannot_be_told_apart_make_no_front() -> None:
    """A coarse search of 305 ms beside one of 66 ms that re-ranks: the same, on a busy machine."""
    noisy = [
        Point("run", "coarse", None, 0.80, 0.066, 100, range_s=(0.060, 0.310)),
        Point("run", "DnS", 0.1, 0.90, 0.115, 100, range_s=(0.070, 0.120)),
        Point("run", "DnS", 0.3, 0.95, 0.500, 100, range_s=(0.450, 0.550)),
    ]
    assert [p.precision for p in pareto_front(noisy, "seconds_per_query")] == [0.90, 0.95]
    (bars,) = [t.error_x for t in tradeoff_figure(noisy, "seconds_per_query", "DSVR", published=False).data
               if t.name == "coarse"]  # fmt: skip
    assert (bars.array[0], bars.arrayminus[0]) == (pytest.approx(0.244), pytest.approx(0.006))


def test_of_equal_points_one_is_on_the_front() -> None:
    twins = [Point("run", name, None, 0.5, 0.1, 100) for name in ("a", "b")]
    assert len(pareto_front(twins, "bytes_per_video")) == 1


def test_what_differs_between_runs_is_named() -> None:
    found = differing_params({"a": {"x": "1", "y": "2"}, "b": {"x": "1", "y": "3", "z": "4"}})
    assert found == {"a": {"y": "2", "z": "-"}, "b": {"y": "3", "z": "4"}}


def test_another_benchmark_has_an_axis_of_its_own_that_says_so() -> None:
    points = report_points("run", REPORT, "DSVR")
    alone = tradeoff_figure(points, "bytes_per_video", "DSVR", published=False)
    figure = tradeoff_figure(points, "bytes_per_video", "DSVR", published=True)
    assert all(trace.yaxis != "y2" for trace in alone.data)
    others = [trace for trace in figure.data if trace.yaxis == "y2"]
    assert BENCHMARK in others[0].name
    assert BENCHMARK in figure.layout.yaxis2.title.text
    assert BENCHMARK not in figure.layout.yaxis.title.text
    seconds = tradeoff_figure(points, "seconds_per_query", "DSVR", published=True)
    assert all(trace.yaxis != "y2" for trace in seconds.data)


def test_two_runs_have_a_line_each() -> None:
    points = [*report_points("one", REPORT, "DSVR"), *report_points("two", REPORT, "DSVR")]
    names = {
        trace.name for trace in tradeoff_figure(points, "seconds_per_query", "DSVR", published=False).data
    }
    assert {"coarse, one", "coarse, two"} <= names


def test_every_published_figure_has_a_source_and_can_be() -> None:
    for figure in PUBLISHED:
        assert figure.source
        assert all(0 < value < 1 for value in figure.precision)
        assert figure.of("not a task") is None
