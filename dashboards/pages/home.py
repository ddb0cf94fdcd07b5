"""Home: what runs, what is in service, what needs attention."""

import streamlit as st

from dashboards.formats import count, share, size
from dashboards.look import page_head
from dashboards.sources import index_state, service_states
from dashboards.states import problems_shown


def render() -> None:
    """Draw the page."""
    page_head("Home", "What runs here, what is in service, and what needs attention.")
    with problems_shown("index"):
        _index_figures()
    with problems_shown("services"):
        _services()


def _index_figures() -> None:
    state = index_state()
    with st.container(horizontal=True):
        st.metric("Videos in the index", count(state.n_videos), border=True)
        st.metric("Index version", f"v{state.version}", border=True)
        st.metric("Coverage", share(state.coverage, 1), border=True)
        st.metric("Bytes a video", size(state.bytes_per_video), border=True)


def _services() -> None:
    st.subheader("Services", anchor=False)
    rows = [{"service": s.name, "state": s.state, "address": s.address} for s in service_states()]
    st.dataframe(
        rows, hide_index=True, column_config={"address": st.column_config.LinkColumn()}, key="services"
    )
