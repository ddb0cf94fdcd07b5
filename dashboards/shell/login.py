"""Login: the dashboard is open to this machine, to holders of the token, or to users who sign in.

Signing in is Streamlit's own (OpenID Connect): ``[auth]`` in ``.streamlit/secrets.toml`` names the provider,
and the setting ``DNS_DASHBOARD_USERS`` whom of its people to let in.
"""

import hmac
import time

import streamlit as st

from dashboards.data.service import has_provider, settings

_ADMITTED = "admitted"
_PAUSE_S = 1.0


def admitted() -> bool:
    """Whether this session may go on; if not, it is asked to sign in, or for the token."""
    if has_provider():
        return _signed_in()
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
    st.error(
        "That is not the token. It is the setting DNS_DASHBOARD_TOKEN with which the dashboard was started."
    )
    return False


def is_welcome(address: str, users: str) -> bool:
    """Whether the person with an e-mail address may come in.

    Args:
        address: that the provider vouches for; empty if for none.
        users: addresses, and domains as ``@example.org``, with commas between; if empty, everybody may
            whom the provider lets in.
    """
    wanted = {word.strip().lower() for word in users.split(",") if word.strip()}
    domain = "@" + address.lower().rpartition("@")[2] if "@" in address else ""
    return not wanted or (bool(domain) and not wanted.isdisjoint((address.lower(), domain)))


def _signed_in() -> bool:
    if not st.user.is_logged_in:
        st.title("Distill-and-Select", anchor=False)
        st.button("Sign in", icon=":material/login:", type="primary", key="sign-in", on_click=st.login)
        return False
    vouched = str(st.user.get("email") or "") if st.user.get("email_verified", True) else ""
    if not is_welcome(vouched, settings().dashboard_users):
        st.title("Distill-and-Select", anchor=False)
        st.error("You are signed in, and are not among those whom DNS_DASHBOARD_USERS lets in.")
    with st.sidebar:
        st.button("Sign out", icon=":material/logout:", key="sign-out", on_click=st.logout)
    return is_welcome(vouched, settings().dashboard_users)
