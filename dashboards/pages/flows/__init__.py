"""Flows: start them, watch them, stop and retry them, and when they start by themselves."""

from collections.abc import Sequence

import streamlit as st

from dashboards.data import records
from dashboards.formats import message
from dashboards.pages.flows.form import draw_form
from dashboards.pages.flows.schedules import draw_schedules
from dashboards.panels.runs import run_rows
from dashboards.states import problems_shown, show_empty
from dashboards.theme import page_head
from dashboards.widgets.run_view import draw_run, open_run, opened_run
from flows.records import Deployment, FlowRun
from flows.server import FlowServerError

_PAGE_ROWS = 20


def render() -> None:
    """Draw the page."""
    page_head("Flows", "Start the platform's work, follow it, stop it, and say when it starts by itself.")
    try:
        found = records.deployments()
    except FlowServerError as error:
        show_empty(
            "The Prefect server does not answer",
            f"Start the platform with `dns up`, then reload this page. {message(str(error))}",
            icon="cloud_off",
        )
        return
    if not found:
        show_empty("No flow is deployed", "`dns up` registers all that `prefect.yaml` names.")
        return
    names = {row.deployment_id: row.name for row in found}
    if opened_run():
        with problems_shown("run"):
            _draw_opened(names)
    left, right = st.columns([2, 3], gap="medium")
    with left, problems_shown("form"):
        _draw_deployment(found)
    with right, problems_shown("history"):
        _draw_history(names)


def _draw_opened(names: dict[str, str]) -> None:
    run = records.flow_server().run(opened_run())
    draw_run(run.run_id, names.get(run.deployment_id, "run"))


def _draw_deployment(found: Sequence[Deployment]) -> None:
    chosen = st.selectbox("Flow", found, format_func=lambda row: row.name, key="deployment")
    draw_form(chosen)
    with st.expander("Schedule", icon=":material/schedule:", expanded=bool(chosen.schedules)):
        draw_schedules(chosen)
    page = records.flow_server().api_url.removesuffix("/api")
    st.link_button(
        "Open in Prefect",
        f"{page}/deployments/deployment/{chosen.deployment_id}",
        icon=":material/open_in_new:",
    )


@st.fragment(run_every=5)
def _draw_history(names: dict[str, str]) -> None:
    with problems_shown("history"):
        only = st.selectbox(
            "History of", ["", *names], key="history-of", format_func=lambda i: names.get(i, "all flows")
        )
        page = int(st.session_state.get("history-page", 1))
        runs = records.flow_server().runs(only, limit=_PAGE_ROWS + 1, offset=(page - 1) * _PAGE_ROWS)
        if not runs:
            show_empty("Nothing has run yet", "Fill in the form and choose *Run*.", icon="history")
            return
        shown = runs[:_PAGE_ROWS]
        st.dataframe(
            run_rows(shown, names), hide_index=True, key="history", height=min(36 * (len(shown) + 1), 500),
            column_config={"seconds": st.column_config.NumberColumn(format="%.0f")},
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom"):
            picked = st.selectbox("Run", shown, format_func=_run_label, key="picked-run")
            if st.button("Show", icon=":material/visibility:", key="show-run"):
                open_run(picked.run_id)
            if len(runs) > _PAGE_ROWS or page > 1:
                st.number_input("Page", 1, page + (len(runs) > _PAGE_ROWS), key="history-page")


def _run_label(run: FlowRun) -> str:
    return f"{run.name} ({run.state_name})"
