"""Trade-offs: what each way to search finds and costs, in every run, and what an archive would cost."""

from collections.abc import Sequence

import streamlit as st

from dashboards.data import records
from dashboards.formats import ago, count, counted, moment, plain
from dashboards.panels.estimate import estimates, way_name
from dashboards.panels.published import BENCHMARK, PUBLISHED, TASKS
from dashboards.panels.tradeoff import (
    COSTS,
    Point,
    differing_params,
    pareto_front,
    report_points,
    report_tasks,
    tradeoff_figure,
)
from dashboards.states import problems_shown, show_empty
from dashboards.theme import page_head
from dns_core.evaluation.capacity import Archive, Measured, measured_rows
from dns_core.evaluation.report import EvaluationReport
from dns_ops.tracking.run_queries import RunRecord


def render() -> None:
    """Draw the page."""
    page_head("Trade-offs", "What each way to search finds, and the time and storage that it takes.")
    runs = records.evaluations()
    if not runs:
        show_empty(
            "No evaluation is recorded yet",
            "`dns reproduce` (or the flow `reproduce`) trains, indexes and measures; "
            "`make demo` does it on a small corpus.",
            icon="query_stats",
        )
        return
    chosen = _chosen_runs(runs)
    if not chosen:
        show_empty("No run is chosen", "Choose one or more above.")
        return
    reports = {_label(run): records.report(run.run_id) for run in chosen}
    task = _chosen_task(reports)
    points = _points(chosen, reports, task)
    curves, table, calculator, peers = st.tabs(["Curves", "Table", "Calculator", "Published figures"])
    with curves, problems_shown("curves"):
        _draw_curves(points, task)
    with table:
        _draw_table(points, task)
    with calculator, problems_shown("calculator"):
        _draw_calculator(chosen, reports)
    with peers:
        _draw_published()


def _label(run: RunRecord) -> str:
    return f"{run.run_id[:8]}, {moment(run.started)}"


def _chosen_runs(runs: Sequence[RunRecord]) -> list[RunRecord]:
    by_label = {_label(run): run for run in runs}
    picked = st.multiselect(
        "Runs", list(by_label), default=list(by_label)[:1], key="runs",
        help="The newest first; choose two or more to see them side by side.",
    )  # fmt: skip
    return [by_label[label] for label in picked]


def _chosen_task(reports: dict[str, EvaluationReport]) -> str:
    tasks = report_tasks(reports.values())
    picked = st.segmented_control("Task", tasks, default=tasks[0], key="task", required=True)
    return str(picked or tasks[0])


def _points(chosen: Sequence[RunRecord], reports: dict[str, EvaluationReport], task: str) -> list[Point]:
    params = {_label(run): {**records.run_params(run.parent), **run.params} for run in chosen}
    shown = differing_params(params) if len(chosen) > 1 else _few(params)
    points = []
    for run in chosen:
        label = _label(run)
        lines = [f"<br>{name} = {value}" for name, value in list(shown[label].items())[:12]]
        points += report_points(label, reports[label], task, "".join(lines))
    return points


def _few(params: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Of one run: what says most about a search."""
    wanted = ("extract_features.backbone", "extract_features.sampling_fps", "fit_whitening.dims")
    return {run: {name: row[name] for name in wanted if name in row} for run, row in params.items()}


def _draw_curves(points: Sequence[Point], task: str) -> None:
    shows_published = st.toggle(
        f"Published figures of {BENCHMARK}", key="published",
        help="Marked, and against their own axis: other videos, so only the distances among them compare.",
    )  # fmt: skip
    for column, (cost, text) in zip(st.columns(2, gap="medium"), COSTS, strict=True):
        with column:
            st.markdown(f"**Precision against {text}**")
            figure = tradeoff_figure(points, cost, task, published=shows_published)
            st.plotly_chart(figure, key=f"curve-{cost}", config={"displaylogo": False})
    st.caption(
        "Red: the Pareto front, no other setting finds more for less; times that cannot be told apart "
        "count as one. Seconds are the median of a query's, with the range of repeats in turns, on the "
        "machine that ran the evaluation."
        + (
            " No peer publishes seconds that compare; they stand on the right chart."
            if shows_published
            else ""
        )
    )


def _draw_table(points: Sequence[Point], task: str) -> None:
    fronts = {cost: set(map(id, pareto_front(points, cost))) for cost, _ in COSTS}
    rows = [
        {
            "run": p.run,
            "method": p.method,
            "re-ranked": p.budget,
            "mAP": p.precision,
            "ms a query": 1000 * p.seconds_per_query,
            "at least": 1000 * min(p.range_s) if p.range_s else None,
            "at most": 1000 * max(p.range_s) if p.range_s else None,
            "KiB a video": p.bytes_per_video / 1024,
            "best for its time": id(p) in fronts["seconds_per_query"],
            "best for its size": id(p) in fronts["bytes_per_video"],
        }
        for p in points
    ]
    number = st.column_config.NumberColumn
    st.dataframe(
        rows, hide_index=True, key="rows",
        column_config={
            "re-ranked": number(format="percent"), "mAP": number(f"mAP {task}", format="%.3f"),
            "ms a query": number(format="%.1f"),
            "at least": number(format="%.1f", help="of the repeats, in ms"),
            "at most": number(format="%.1f", help="of the repeats, in ms"),
            "KiB a video": number(format="%.1f", help="that a search with this setting reads"),
        },
    )  # fmt: skip


def _draw_calculator(chosen: Sequence[RunRecord], reports: dict[str, EvaluationReport]) -> None:
    by_label = {_label(run): run for run in chosen}
    with st.container(horizontal=True):
        n_videos = int(st.number_input("Videos", 1, 1_000_000_000, 100_000, step=1000, key="n-videos"))
        minutes = float(st.number_input("Minutes a video", 0.1, 1440.0, 5.0, step=1.0, key="minutes"))
        price = float(st.number_input("Price of a machine hour", 0.0, 1000.0, 0.0, step=0.1, key="price"))
    with st.container(horizontal=True):
        label = st.selectbox("Measured by run", list(by_label), key="measured-by")
        run = by_label[label]
        speed = records.extraction_speed(run.parent)
        rows = measured_rows(reports[label], records.mean_seconds("database"), speed)
        if not rows:
            show_empty(
                "This run did not take the cost of a query apart",
                "Runs of this version do: the flow `reproduce` evaluates again. Or choose another run.",
            )
            return
        row = st.selectbox("Way to search", rows, index=_usual(rows), format_func=way_name, key="way")
    found = estimates(Archive(n_videos, minutes), row, price)
    with st.container(horizontal=True):
        for figure in found:
            st.metric(figure.name, figure.value, border=True)
    st.dataframe(
        [
            {"figure": f.name, "estimate": f.value, "measured": f.measured, "extrapolated": f.assumed}
            for f in found
        ],
        hide_index=True, key="estimates",
    )  # fmt: skip
    if row.cost.busy:
        st.warning("Other programs kept the machine busy when this was measured: take it as an upper bound.")
    st.caption(
        f"Measured on {counted(row.n_videos, 'video')} and on made-up indices {ago(run.started)}, all in "
        "turns. A search looks at every video up to "
        f"{count(row.cost.whole_to)}; in a larger index, at codes of all and at a shortlist, unless more "
        f"than {count(row.cost.most_listed)} are to be re-ranked."
    )


def _usual(rows: Sequence[Measured]) -> int:
    """The binary student with a third re-ranked is what most would take."""
    wanted = ("dns_fine_binary", 0.3)
    return next((i for i, row in enumerate(rows) if (row.method, row.share) == wanted), 0)


def _draw_published() -> None:
    st.markdown(
        f"What others reached on **{plain(BENCHMARK)}**. It has other videos than this workspace: compare "
        "these with each other, not with the curves."
    )
    rows = [
        {
            "method": row.method,
            **{f"mAP {task}": row.of(task) for task in TASKS},
            "keeps": row.stored,
            "source": row.source,
        }
        for row in PUBLISHED
    ]
    number = {f"mAP {task}": st.column_config.NumberColumn(format="%.3f") for task in TASKS}
    st.dataframe(rows, hide_index=True, column_config=number, key="published-rows")
