"""Data: its versions, whether it is fit to be learnt from, what was refused, and what is in it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from dashboards.data import records
from dashboards.formats import clock, count, counted, moment, plain, size
from dashboards.pages.data.near_duplicates import draw_groups
from dashboards.panels.videos import (
    MEASURES,
    cluster_rows,
    clusters,
    diff_rows,
    distribution_figure,
    expectation_rows,
    quarantine_rows,
    reason_counts,
)
from dashboards.states import problems_shown, show_empty
from dashboards.theme import page_head
from dashboards.widgets.refused import draw_pictures
from dns_core.workspace import COLLECTIONS

_PAGE_ROWS = 100
_PAGE_CLUSTERS = 10
_DRIFT = "drift"


def render() -> None:
    """Draw the page."""
    page_head("Data", "Versions of the videos, their quality, what was refused, and what is in them.")
    probes = {name: records.probes(name) for name in COLLECTIONS}
    if any(probes.values()):
        _draw_summary(probes)
    parts: dict[str, Callable[[], None]] = {
        "Versions": _draw_versions,
        "Quality": partial(_draw_quality, only_drift=False),
        "Quarantine": partial(_draw_quarantine, probes),
        "Near-duplicates": partial(_draw_alike, probes),
        "Distributions": partial(_draw_distributions, probes),
        "Drift": partial(_draw_quality, only_drift=True),
    }
    tabs = st.tabs(list(parts), on_change="rerun", key="part", bind="query-params")
    for tab, (name, draw) in zip(tabs, parts.items(), strict=True):
        if tab.open:  # the others cost nothing
            with tab, problems_shown(name):
                draw()


def _draw_summary(probes: Mapping[str, Mapping[str, Any]]) -> None:
    with st.container(horizontal=True):
        for name, content in probes.items():
            videos = content.get("videos", ())
            seconds = sum(row["duration_s"] for row in videos)
            refused = len(content.get("quarantine", ()))
            note = f"{clock(seconds)} in all, {refused} refused"
            st.metric(
                name.capitalize(), count(len(videos)), note, delta_color="off", delta_arrow="off", border=True
            )


def _draw_versions() -> None:
    found = records.data_summaries()
    if not found:
        learnt_from = next((v.data_version for v in records.versions() if v.data_version), "")
        note = (
            f" The newest bundle learnt from {plain(learnt_from[:12])}, which is not." if learnt_from else ""
        )
        show_empty(
            "No version is recorded yet",
            "`dns data record` records the videos that lie here; `dns data ingest DIR`, or the flow `ingest` "
            f"on the page Flows, brings others in and records them.{note}",
            icon="deployed_code_history",
        )
        return
    current = records.current_data()
    st.dataframe(
        [
            {
                "version": row.name,
                "current": row.name == current,
                "parent": row.parent,
                "created": moment(datetime.fromisoformat(row.created)),
                "videos": row.n_videos,
                "duration": clock(row.duration_s),
                "size": size(row.n_bytes),
            }
            for row in found
        ],
        hide_index=True, key="data-versions",
    )  # fmt: skip
    if len(found) > 1:
        _draw_diff([row.name for row in found])
    else:
        st.caption("With a second version, their difference stands here.")


def _draw_diff(names: Sequence[str]) -> None:
    with st.container(horizontal=True):
        old = st.selectbox("From", names, index=1, format_func=lambda n: n[:12], key="diff-old")
        new = st.selectbox("to", names, index=0, format_func=lambda n: n[:12], key="diff-new")
    diff = records.data_diff(old, new)
    st.markdown(
        f":green[{counted(len(diff.added), 'video')} added], :red[{count(len(diff.removed))} removed], "
        f":orange[{count(len(diff.changed))} changed]"
    )
    rows = diff_rows(diff)
    if rows:
        st.dataframe(_paged(rows, "diff"), hide_index=True, key="diff")


def _draw_quality(*, only_drift: bool) -> None:
    reports = [
        (report, [suite for suite in report["suites"] if (suite["suite"] == _DRIFT) == only_drift])
        for report in records.quality_reports()
    ]
    reports = [(report, suites) for report, suites in reports if suites]
    if not reports and only_drift:
        show_empty(
            "No drift was measured yet", "It is measured once the pipeline validates a second version."
        )
        return
    if not reports:
        show_empty(
            "Nothing was validated yet",
            "The pipeline validates videos and pairs before it learns from them: `dns reproduce`, or the "
            "flow `reproduce`.",
            icon="fact_check",
        )
        return
    for report, suites in reports:
        for suite in suites:
            mark = ":green[:material/check_circle:]" if suite["success"] else ":red[:material/error:]"
            name = f"**{plain(suite['suite'])}** of {plain(suite['part'])}"
            title = f"{mark} {name}, {counted(suite['rows'], 'row')}"
            with st.expander(title, expanded=not suite["success"]):
                st.dataframe(
                    expectation_rows(suite), hide_index=True,
                    key=f"suite-{report['name']}-{suite['suite']}-{suite['part']}",
                )  # fmt: skip
        page = records.quality_page(str(report["name"]))
        if page:
            st.download_button(
                f"Report of {plain(report['name'])} (HTML)", page, f"{report['name']}.html", "text/html",
                icon=":material/download:", key=f"page-{report['name']}-{only_drift}",
            )  # fmt: skip


def _draw_quarantine(probes: Mapping[str, Mapping[str, Any]]) -> None:
    if not any(probes.values()):
        _say_not_probed()
        return
    rows = quarantine_rows(probes, records.extraction_quarantine())
    if not rows:
        show_empty("Nothing is in quarantine", "Every file could be read.", icon="verified")
        return
    reasons = reason_counts(rows)
    labels = {"": f"all ({len(rows)})", **{reason: f"{reason} ({n})" for reason, n in reasons}}
    picked = st.segmented_control(
        "Reason", list(labels), default="", format_func=labels.__getitem__, key="reason", required=True
    )
    shown = [row for row in rows if not picked or row["reason"] == picked]
    page = _paged(shown, "quarantine")
    st.dataframe(page, hide_index=True, key="quarantine")
    with problems_shown("pictures"):
        draw_pictures([row["video"] for row in page if row["collection"] != "train"])
    st.caption("The files stay where they are: replace or remove them, and run `dns reproduce` again.")


def _draw_alike(probes: Mapping[str, Mapping[str, Any]]) -> None:
    st.subheader("In the index", anchor=False)
    with problems_shown("groups of the index"):
        draw_groups()
    st.subheader("Among the training videos", anchor=False)
    with problems_shown("groups of training videos"):
        _draw_clusters(probes)


def _draw_clusters(probes: Mapping[str, Mapping[str, Any]]) -> None:
    split = records.split()
    if not split:
        show_empty(
            "No footage was compared yet",
            "The stage `split_videos` finds training videos that share footage: `dns reproduce`.",
            icon="join_inner",
        )
        return
    found = clusters(split)
    n_videos = sum(map(len, found))
    st.markdown(
        f"{counted(len(found), 'group')} of training videos that share footage, {count(n_videos)} of "
        f"{count(len(split['cluster_of']))} videos in all. A group is never divided between learning "
        "and validation."
    )
    seconds = {row["video_id"]: row["duration_s"] for row in probes["train"].get("videos", ())}
    for videos in _paged(found, "clusters", _PAGE_CLUSTERS):
        with st.expander(f"{counted(len(videos), 'video')}: {plain(videos[0])} …"):
            rows = cluster_rows(videos[:_PAGE_ROWS], split, seconds)
            st.dataframe(rows, hide_index=True, key=f"cluster-{videos[0]}")


def _draw_distributions(probes: Mapping[str, Mapping[str, Any]]) -> None:
    if not any(probes.values()):
        _say_not_probed()
        return
    for column, (measure, title) in zip(st.columns(3, gap="medium"), MEASURES, strict=True):
        with column:
            st.markdown(f"**{title.capitalize()}**")
            figure = distribution_figure(probes, measure)
            st.plotly_chart(figure, key=f"shape-{measure}", config={"displaylogo": False})


def _say_not_probed() -> None:
    show_empty(
        "The videos were not looked at yet",
        "The stage `probe_videos` reads what each file says of itself: `dns reproduce`.",
        icon="troubleshoot",
    )


def _paged(rows: Sequence[Any], name: str, most: int = _PAGE_ROWS) -> Sequence[Any]:
    """Rows of the chosen page; never all of them at once."""
    n_pages = -(-len(rows) // most)
    if n_pages <= 1:
        return rows
    page = int(st.number_input(f"Page (of {n_pages})", 1, n_pages, key=f"page-of-{name}"))
    return rows[(page - 1) * most : page * most]
