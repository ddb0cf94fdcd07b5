"""What each way to search finds and costs, in every run: points, their Pareto front, and pictures of both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from dashboards.formats import size
from dashboards.panels.published import BENCHMARK, PUBLISHED
from dns_apps.text import METHOD_NAMES
from dns_core.evaluation.report import EvaluationReport

Cost = Literal["seconds_per_query", "bytes_per_video"]
COSTS: tuple[tuple[Cost, str], ...] = (
    ("seconds_per_query", "seconds a query"),
    ("bytes_per_video", "bytes a video"),
)

# Told apart in print and by those who see few colours: a colour a method, a sign a run.
_COLOURS = ("#3d7dca", "#d9822b", "#2f9e77", "#b1527f", "#8a6fc9", "#6b7a8c", "#c7a21c", "#c8553d")
_SIGNS = ("circle", "square", "diamond", "triangle-up", "cross", "star")
_FRONT, _QUIET = "#d64550", "#8793a1"
_CLEAR = "rgba(0,0,0,0)"
# Between the powers of ten are marks without figures, which are unreadable at a phone's width.
_DECADES = {"dtick": 1, "minor": {"ticks": "outside"}}


@dataclass(frozen=True, slots=True)
class Point:
    """One way to search, as one run measured it.

    Attributes:
        run: label of the run.
        method: such as ``DnS binary``.
        budget: share of the index that is re-ranked, in [0, 1]; None for a method without one.
        precision: mean average precision in [0, 1].
        seconds_per_query: median wall-clock seconds.
        bytes_per_video: of the index that a search reads.
        params: of the run, shown under the pointer.
        range_s: least and most of the medians when it was timed several times; empty if once.
    """

    run: str
    method: str
    budget: float | None
    precision: float
    seconds_per_query: float
    bytes_per_video: float
    params: str = ""
    range_s: tuple[float, ...] = ()

    @property
    def setting(self) -> str:
        """Method, and the share that it re-ranks."""
        return self.method if self.budget is None else f"{self.method}, {self.budget:.0%} re-ranked"


def report_points(run: str, report: EvaluationReport, task: str, params: str = "") -> list[Point]:
    """The rows of an evaluation's report that judge ``task``, in their order."""
    return [
        Point(
            run, METHOD_NAMES.get(row["method"], row["method"]), row["budget"], row["map"][task],
            row["seconds_per_query"], row["bytes_per_video"], params, tuple(row.get("seconds_range", ())),
        )
        for row in report["methods"]
        if task in row["map"]
    ]  # fmt: skip


def report_tasks(reports: Iterable[EvaluationReport]) -> list[str]:
    """Every task that some report judges, in the order of the alphabet."""
    return sorted({task for report in reports for row in report["methods"] for task in row["map"]})


def pareto_front(points: Iterable[Point], cost: Cost) -> list[Point]:
    """Points than which none costs less or the same and finds more; by rising cost.

    Times whose ranges overlap are the same time: of such points only the one that finds most is on the front.
    """
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (getattr(p, cost), -p.precision)):
        if front and point.precision <= front[-1].precision:
            continue
        if front and cost == "seconds_per_query" and _same_time(front[-1], point):
            front.pop()
        front.append(point)
    return front


def _same_time(faster: Point, slower: Point) -> bool:
    return max(faster.range_s, default=faster.seconds_per_query) >= min(
        slower.range_s, default=slower.seconds_per_query
    )


def differing_params(params: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """By run, the parameters that are not the same in all of them, by name."""
    names = sorted({name for row in params.values() for name in row})
    differing = [name for name in names if len({row.get(name, "-") for row in params.values()}) > 1]
    return {run: {name: row.get(name, "-") for name in differing} for run, row in params.items()}


def tradeoff_figure(points: Sequence[Point], cost: Cost, task: str, *, published: bool) -> go.Figure:
    """Precision against cost on a logarithmic axis; a line a method and run, the Pareto front behind them.

    Args:
        points: of one or more runs.
        cost: what the horizontal axis is.
        task: that the points judge.
        published: whether `PUBLISHED` is drawn too, against an axis of its own on the right.
    """
    figure = go.Figure()
    front = pareto_front(points, cost)
    figure.add_scatter(
        x=[getattr(p, cost) for p in front], y=[p.precision for p in front], name="Pareto front",
        mode="lines", line={"shape": "hv", "width": 7, "color": _FRONT}, opacity=0.4, hoverinfo="skip",
    )  # fmt: skip
    methods, runs = (list(dict.fromkeys(getattr(p, key) for p in points)) for key in ("method", "run"))
    for run in runs:
        for method in methods:
            rows = [p for p in points if (p.run, p.method) == (run, method)]
            if rows:
                colour = _COLOURS[methods.index(method) % len(_COLOURS)]
                sign = _SIGNS[runs.index(run) % len(_SIGNS)]
                name = method if len(runs) == 1 else f"{method}, {run}"
                figure.add_trace(_line(rows, cost, name, colour, sign))
    title = next(text for key, text in COSTS if key == cost)
    figure.update_layout(
        xaxis={"title": title, "type": "log", "exponentformat": "SI", **_DECADES},
        yaxis={"title": f"mAP {task}, this workspace's videos"},
        legend={"orientation": "h", "yanchor": "top", "y": -0.22, "x": 0},
        margin={"l": 10, "r": 10, "t": 10, "b": 10}, height=440, hovermode="closest",
        paper_bgcolor=_CLEAR, plot_bgcolor=_CLEAR,
    )  # fmt: skip
    if published:
        _add_published(figure, cost, task)
    return figure


def _line(rows: Sequence[Point], cost: Cost, name: str, colour: str, sign: str) -> go.Scatter:
    return go.Scatter(
        x=[getattr(p, cost) for p in rows],
        y=[p.precision for p in rows],
        name=name,
        mode="lines+markers" if len(rows) > 1 and cost == "seconds_per_query" else "markers",
        error_x=_error(rows, colour) if cost == "seconds_per_query" else None,
        marker={"color": colour, "symbol": sign, "size": 10, "line": {"width": 1, "color": "white"}},
        line={"color": colour, "width": 1, "dash": "dot"},
        customdata=[[p.setting, p.run, _milliseconds(p), size(p.bytes_per_video), p.params] for p in rows],
        hovertemplate=(
            "<b>%{customdata[0]}</b><br>mAP %{y:.3f}<br>%{customdata[2]} a query<br>"
            "%{customdata[3]} a video<br>run %{customdata[1]}%{customdata[4]}<extra></extra>"
        ),
    )


def _error(rows: Sequence[Point], colour: str) -> dict[str, Any]:
    """Bars from the least to the most of the repeats."""
    ranges = [p.range_s or (p.seconds_per_query,) for p in rows]
    return {
        "type": "data", "symmetric": False, "color": colour, "thickness": 1, "width": 3,
        "array": [max(r) - p.seconds_per_query for p, r in zip(rows, ranges, strict=True)],
        "arrayminus": [p.seconds_per_query - min(r) for p, r in zip(rows, ranges, strict=True)],
    }  # fmt: skip


def _milliseconds(point: Point) -> str:
    time_text = f"{1000 * point.seconds_per_query:.1f} ms"
    if not point.range_s:
        return f"{time_text} (timed once)"
    return f"{time_text} ({1000 * min(point.range_s):.1f} to {1000 * max(point.range_s):.1f})"


def _add_published(figure: go.Figure, cost: Cost, task: str) -> None:
    """Methods that keep a fixed size a video, where size is the axis: no comparable seconds are published."""
    rows = [
        (row, precision)
        for row in PUBLISHED
        if cost == "bytes_per_video" and row.bytes_per_video and (precision := row.of(task)) is not None
    ]
    if not rows:
        return
    figure.add_scatter(
        x=[row.bytes_per_video for row, _ in rows], y=[precision for _, precision in rows], yaxis="y2",
        name=f"published, on {BENCHMARK} (right axis)", mode="markers+text", textposition="top center",
        text=[row.method for row, _ in rows], textfont={"size": 11, "color": _QUIET},
        marker={"symbol": "x-thin", "size": 10, "line": {"width": 2, "color": _QUIET}},
        customdata=[[row.stored, row.source] for row, _ in rows],
        hovertemplate=(
            f"<b>%{{text}}</b><br>mAP %{{y:.3f}} on {BENCHMARK}<br>%{{customdata[0]}}<br>"
            "%{customdata[1]}<extra></extra>"
        ),
    )  # fmt: skip
    figure.update_layout(
        yaxis2={
            "title": f"mAP {task}, {BENCHMARK}: other videos", "overlaying": "y", "side": "right",
            "showgrid": False, "color": _QUIET,
        }
    )  # fmt: skip
