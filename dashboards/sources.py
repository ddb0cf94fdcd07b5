"""Where a page gets what it shows: the workspace, and the query service that it names.

What other servers know comes through `dns_ops` and `flows`. A reading is kept for some seconds, so that
moving a slider asks nobody.
"""

import logging
from pathlib import Path

import streamlit as st

from dns_apps.service.client import Client
from dns_apps.service.schemas import IndexState, Page, Readiness, VideoRow
from dns_ops.services import enabled_services
from dns_ops.settings import Settings, load_settings
from dns_ops.supervisor import ServiceState, Supervisor

_log = logging.getLogger("dashboards")
_GLANCE_S = 3.0
"""What is only a glance may not hold up a page."""


def workspace() -> Path:
    """The folder whose runs, models and videos are shown: the one that the dashboard was started in."""
    return Path.cwd()


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings of the workspace, as they were when the dashboard was started."""
    return load_settings(workspace())


@st.cache_resource(show_spinner=False)
def service(timeout_s: float = 30.0) -> Client:
    """A client of the query service; all pages share it."""
    token = settings().service_token.get_secret_value()
    return Client(settings().query_service(), token or None, timeout_s=timeout_s)


@st.cache_data(ttl=5, show_spinner=False)
def readiness() -> Readiness:
    """Whether the service answers queries, asked at a glance."""
    return service(_GLANCE_S).readiness()


@st.cache_data(ttl=10, show_spinner="Asking the query service …")
def index_state() -> IndexState:
    """What the served index holds."""
    return service().index()


def stored_videos(search: str = "", limit: int = 50, offset: int = 0) -> Page[VideoRow]:
    """One page of the videos of the index; nobody ever asks for all of them."""
    return service().videos(search, limit=limit, offset=offset)


@st.cache_data(ttl=5, show_spinner=False)
def service_states() -> tuple[ServiceState, ...]:
    """How each service of the platform on this machine is."""
    root = workspace()
    return tuple(Supervisor(root, enabled_services(root, settings()), _log.info).states())
