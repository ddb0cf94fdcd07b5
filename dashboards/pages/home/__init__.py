"""Home: what runs, what is in service, what needs attention; in an empty workspace, the demo."""

import streamlit as st

from dashboards.data.records import champion_version, last_runs
from dashboards.data.service import glance, index_state, service_states
from dashboards.formats import ago, clock, count, plain, share, size
from dashboards.pages.home.demo import draw_beginning, is_empty
from dashboards.panels.attention import Notice, notices
from dashboards.states import failed_text, problems_shown, show_empty
from dashboards.theme import page_head
from dns_apps.service.client_errors import ServiceFailedError
from dns_apps.service.schemas import IndexState
from dns_core.errors import DnsError
from flows.records import FlowRun

_ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}


def render() -> None:
    """Draw the page."""
    page_head("Home", "What runs here, what is in service, and what needs attention.")
    index, index_problem = glance(index_state)
    if is_empty():
        if isinstance(index_problem, ServiceFailedError):  # there is no index yet: the beginning is about it
            index_problem = None
        with problems_shown("demo"):
            draw_beginning()
    runs, runs_problem = glance(last_runs)
    with problems_shown("figures"):
        _draw_figures(index, runs)
    with problems_shown("attention"):
        _draw_attention(index, index_problem, runs)
    left, right = st.columns(2, gap="medium")
    with left, problems_shown("services"):
        _draw_services()
    with right, problems_shown("runs"):
        _draw_runs(runs, runs_problem)


def _draw_figures(index: IndexState | None, runs: list[FlowRun] | None) -> None:
    version = champion_version()
    last = runs[0] if runs else None
    with st.container(horizontal=True, key="figures"):
        st.metric("Videos in the index", count(index.n_videos) if index else "-", border=True)
        st.metric("Index", f"v{index.version}" if index else "-", border=True)
        st.metric("Size", size(index.n_bytes) if index else "-", border=True)
        st.metric("Coverage", share(index.coverage, 1) if index else "-", border=True)
        st.metric("Champion", f"v{version}" if version else "none yet", border=True)
        st.metric("Last run", _state(last) if last else "-", border=True, help=last.flow if last else None)


def _draw_attention(
    index: IndexState | None, index_problem: DnsError | None, runs: list[FlowRun] | None
) -> None:
    st.subheader("Needs attention", anchor=False)
    found = notices(index, service_states(), runs or ())
    if index_problem is not None:
        found.insert(0, Notice("error", "The index cannot be seen", failed_text(index_problem)))
    if not found:
        st.caption(":material/check_circle: Nothing does.")
    for notice in found:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f"{_ICONS[notice.tone]} **{notice.what}**")
            st.caption(notice.todo)


def _draw_services() -> None:
    st.subheader("Services", anchor=False)
    rows = [{"service": s.name, "state": s.state, "address": s.address} for s in service_states()]
    # A plain table: the grid of `st.dataframe` costs a browser's first visit half a second.
    st.table(rows, hide_index=True, border="horizontal")
    if any(row["state"] == "stopped" for row in rows):
        st.caption("`dns up` starts what is stopped; `dns down` stops all of it.")


def _draw_runs(runs: list[FlowRun] | None, problem: DnsError | None) -> None:
    st.subheader("Last runs", anchor=False)
    if runs is None:
        show_empty("Runs cannot be seen", failed_text(problem) if problem else "", "cloud_off")
        return
    if not runs:
        show_empty("No flow has run yet", "Run one from the page Flows, or with `prefect deployment run`.")
        return
    rows = [
        {
            "flow": plain(run.flow),
            "state": _state(run),
            "began": ago(run.started) if run.started else "waits",
            "took": clock(run.seconds or 0.0),
        }
        for run in runs
    ]
    st.table(rows, hide_index=True, border="horizontal")


def _state(run: FlowRun) -> str:
    return "done" if run.state == "COMPLETED" else run.state.lower()
