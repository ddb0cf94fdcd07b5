"""The first step in an empty workspace: making the demo, by one button or one command."""

import streamlit as st

from dashboards.data.records import run_now, start_demo
from dashboards.data.service import glance, index_state, stage_count, workspace
from dashboards.states import failed_text
from dns_core.errors import DnsError
from flows.records import FlowRun

_RUN = "demo-run"
_EVERY_S = 2.0
_OWN = "`dns index build --videos DIR --out artifacts/index`"


def is_empty() -> bool:
    """Whether nothing was indexed or trained here yet, or the demo that was asked for is under way."""
    root = workspace()
    there = (root / "artifacts" / "index").exists() or (root / "releases").exists()
    return bool(st.session_state.get(_RUN)) or (not there and glance(index_state)[0] is None)


def draw_beginning() -> None:
    """Draw a button that makes the demo where the platform runs, else the command; then its progress."""
    if run_id := st.session_state.get(_RUN):
        st.fragment(_follow, run_every=_EVERY_S)(run_id)
        return
    with st.container(border=True, key="beginning"):
        st.subheader("This workspace is empty", anchor=False)
        if not (workspace() / "dvc.yaml").is_file():
            st.markdown(
                "It has no `dvc.yaml` either: start the dashboard in a checkout of the project, or index "
                f"videos of your own with {_OWN} and start `dns serve`."
            )
            return
        st.markdown(
            "The demo films a small archive of real footage, trains on it, indexes it and measures it: about "
            f"ten minutes on two cores. Or take your own videos: {_OWN}."
        )
        _draw_button()


def _draw_button() -> None:
    if st.button("Make the demo", type="primary", icon=":material/play_arrow:", key="make-demo"):
        try:
            st.session_state[_RUN] = start_demo()
        except DnsError as error:
            st.warning(f"{failed_text(error)} Without the platform, the command is `make demo`.")
            return
        st.rerun()


def _follow(run_id: str) -> None:
    found, problem = glance(lambda: run_now(run_id))
    with st.container(border=True, key="beginning"):
        st.subheader("Making the demo", anchor=False)
        if found is None:
            st.caption(failed_text(problem) if problem else "")
            return
        run, n_done = found
        _draw_progress(run, n_done)
    if run.is_over and st.button("Go on", type="primary", key="demo-ended"):
        st.session_state[_RUN] = ""
        st.cache_data.clear()
        st.rerun(scope="app")


def _draw_progress(run: FlowRun, n_done: int) -> None:
    total = stage_count()
    if run.state == "COMPLETED":
        st.success("The demo is made. Start a query on the page Query.")
    elif run.is_over:
        st.error(f"It stopped: {failed_text(DnsError(run.message or run.state))}")
    else:
        part = min(n_done / total, 0.99) if total else 0.0
        st.progress(part, f"{n_done} of {total} steps done; {run.state.lower()}")
        st.caption("It continues when this page is closed; Prefect shows its log.")
