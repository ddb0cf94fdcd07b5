"""What stands beside every page: which workspace this is, and whether the query service answers."""

import streamlit as st

from dashboards.data.service import readiness, workspace
from dashboards.formats import plain, short_name
from dns_apps.service.client_errors import ServiceError


def draw_sidebar() -> None:
    """Draw the workspace and the state of the query service."""
    with st.sidebar:
        st.caption(f"Workspace **{plain(short_name(workspace().resolve().name, 28))}**")
        _service_state()


@st.fragment(run_every=15)
def _service_state() -> None:
    try:
        state = readiness()
    except ServiceError:
        st.badge("Query service: no answer", icon=":material/cloud_off:", color="red")
        return
    if state.ready:
        st.badge("Query service: ready", icon=":material/check_circle:", color="green")
    else:
        icon, why = ":material/pending:", plain(state.detail)
        st.badge("Query service: not ready", icon=icon, color="orange", help=why)
