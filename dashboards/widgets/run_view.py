"""One run of a flow as it stands: state, progress, tasks, logs; cancelling and retrying it."""

import streamlit as st

from dashboards.data import records
from dashboards.data.service import workspace
from dashboards.formats import ago, plain
from dashboards.panels.runs import STATES, progress_text, task_rows
from dashboards.states import problems_shown
from dns_ops.pipeline.workspace_lock import workspace_holder
from flows.records import WAITING, FlowRun

_ADDRESS = "run"
_EVERY_S = 2.0


def open_run(run_id: str) -> None:
    """Show this run from now on, and name it in the address."""
    st.query_params[_ADDRESS] = run_id
    st.cache_data.clear()
    st.rerun()


def opened_run() -> str:
    """The run that the address names; empty for none."""
    return st.query_params.get(_ADDRESS, "")


def draw_run(run_id: str, name: str) -> None:
    """Draw the run, renewed every two seconds until it is over.

    Args:
        run_id: of the run.
        name: of its deployment.
    """
    run = records.flow_server().run(run_id)
    live = st.fragment(_live, run_every=None if run.is_over else _EVERY_S)
    with st.container(border=True, key="followed-run"):
        live(run_id, name)


def _live(run_id: str, name: str) -> None:
    with problems_shown("run"):
        run = records.flow_server().run(run_id)
        _draw_head(run, name)
        _draw_progress(run)
        if run.is_over and st.session_state.get("watched") == run_id:
            st.session_state["watched"] = ""
            st.cache_data.clear()  # it may have changed what other parts of the page show
            st.rerun()  # what is over needs no renewal, and has new buttons
        if not run.is_over:
            st.session_state["watched"] = run_id


def _draw_head(run: FlowRun, name: str) -> None:
    icon, colour = STATES.get(run.state, ("help", "gray"))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plain(name)}** · {plain(run.name)}", width="content")
        st.badge(run.state_name or run.state.capitalize(), icon=f":material/{icon}:", color=colour)  # type: ignore[arg-type]
        seconds = run.seconds
        st.caption(
            f"asked for {ago(run.created)}"
            + (f", {seconds:.0f} s" if seconds is not None else ", waits for a worker"),
            width="content",
        )
        _draw_buttons(run)
    if run.state_name == WAITING:
        _draw_holder(run)
    elif run.message and run.state != "RUNNING":
        st.text(run.message)


def _draw_holder(run: FlowRun) -> None:
    """For whom the run waits, and the way there."""
    holder = workspace_holder(workspace())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(run.message)
        if holder and holder.run_id and st.button("Open that run", key="open-holder"):
            open_run(holder.run_id)


def _draw_buttons(run: FlowRun) -> None:
    server = records.flow_server()
    if not run.is_over and st.button("Cancel", icon=":material/cancel:", key="cancel-run"):
        server.cancel(run.run_id)
        st.toast("The run was asked to stop.")
    if run.is_over and st.button(
        "Retry", icon=":material/replay:", key="retry-run", help="Resumes with its parameters."
    ):
        server.retry(run.run_id)
        st.session_state["watched"] = run.run_id
        st.rerun()
    page = server.api_url.removesuffix("/api")
    st.link_button("Prefect", f"{page}/runs/flow-run/{run.run_id}", icon=":material/open_in_new:")


def _draw_progress(run: FlowRun) -> None:
    server = records.flow_server()
    tasks = server.tasks(run.run_id)
    share, words = progress_text(run, tasks, server.progress(run.run_id))
    st.progress(min(1.0, share), text=plain(words))
    logs, steps, given = st.tabs(["Log", f"Tasks ({len(tasks)})", "Parameters"])
    with logs:
        lines = [f"{row.at:%H:%M:%S} {row.level:7} {row.text}" for row in server.logs(run.run_id)]
        st.code("\n".join(lines) or "nothing was said yet", language=None, height=320, wrap_lines=True)
    with steps:
        st.dataframe(task_rows(tasks), hide_index=True, key=f"tasks-{run.run_id}")
    with given:
        st.json(dict(run.parameters))
