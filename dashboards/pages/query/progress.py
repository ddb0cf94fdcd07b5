"""A query that is on its way: how far it has come, and stopping it."""

import streamlit as st

from dashboards.data.service import service
from dashboards.pages.query.address import go_to
from dashboards.states import problems_shown
from dns_apps.service.schemas import Query

_EVERY_S = 0.7


def draw_progress(query_id: str) -> None:
    """Draw the progress of a query; run the page again once it is done or failed."""
    st.fragment(_watch, run_every=_EVERY_S)(query_id)


def _watch(query_id: str) -> None:
    with problems_shown("progress"):
        query = service().query(query_id)
        if query.state in ("done", "failed"):
            st.rerun(scope="app")
        st.progress(min(max(query.progress, 0.0), 1.0), _told(query))
        if st.button("Cancel", icon=":material/close:", key="cancel"):
            service().delete_query(query_id)
            go_to()
            st.rerun(scope="app")


def _told(query: Query) -> str:
    return "Waiting for its turn …" if query.state == "queued" else "Searching …"
