"""Who may see the dashboard: everybody on this machine, or whoever knows the token if there is one."""

import hmac
import time

import streamlit as st

from dashboards.sources import settings

_ADMITTED = "admitted"
_PAUSE_S = 1.0


def admitted() -> bool:
    """Whether this session may go on; if not, it is asked for the token."""
    token = settings().dashboard_token.get_secret_value()
    if not token or st.session_state.get(_ADMITTED):
        return True
    st.title("Distill-and-Select", anchor=False)
    with st.form("entrance", width=420):
        given = st.text_input("Token of this dashboard", type="password", key="token")
        if not st.form_submit_button("Enter", type="primary"):
            return False
    if hmac.compare_digest(given.encode(), token.encode()):
        st.session_state[_ADMITTED] = True
        st.rerun()
    time.sleep(_PAUSE_S)  # guessing should take its time
    st.error("That is not the token. It is the setting DNS_DASHBOARD_TOKEN of who started the dashboard.")
    return False
