"""Where a page gets what it shows: the workspace, and the query service that it names.

What other servers know comes through `dns_ops` and `flows`. A reading is kept for some seconds, so that
moving a slider sends no request.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import streamlit as st

from dns_apps.service.client import Client
from dns_apps.service.schemas import IndexState, Page, Readiness, VideoRow
from dns_core.errors import DnsError
from dns_ops.dag import read_dag
from dns_ops.http_probe import connection_problem
from dns_ops.platform.services import Service, enabled_services
from dns_ops.platform.supervisor import ServiceState, Supervisor
from dns_ops.settings import Settings, load_settings, signs_in

T = TypeVar("T")

_log = logging.getLogger("dashboards")
_GLANCE_S = 5.0
"""What is only a glance may not hold up a page."""


def workspace() -> Path:
    """The folder whose runs, models and videos are shown: the one that the dashboard was started in."""
    return Path.cwd()


@st.cache_resource(show_spinner=False)
def settings() -> Settings:
    """The settings of the workspace, as they were when the dashboard was started."""
    return load_settings(workspace())


@st.cache_resource(show_spinner=False)
def has_provider() -> bool:
    """Whether visitors sign in with a provider, as it was when the first of them came."""
    return signs_in(workspace())


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
    return service(_GLANCE_S).index()


def stored_videos(search: str = "", limit: int = 50, offset: int = 0) -> Page[VideoRow]:
    """One page of the videos of the index; never all of them at once."""
    return service().videos(search, limit=limit, offset=offset)


@st.cache_data(ttl=5, show_spinner=False)
def service_states() -> tuple[ServiceState, ...]:
    """How each service of the platform on this machine is; one that another program started runs too."""
    root = workspace()
    wanted = enabled_services(root, settings())
    states = Supervisor(root, wanted, _log.info).states()
    return tuple(_as_seen(service, state) for service, state in zip(wanted, states, strict=True))


def _as_seen(service: Service, state: ServiceState) -> ServiceState:
    alone = state.state in ("stopped", "crashed") and service.health
    return replace(state, state="running") if alone and not _silent(service) else state


def _silent(service: Service) -> bool:
    return bool(connection_problem(f"{service.address}{service.health}"))


@st.cache_data(ttl=600, show_spinner=False)
def stage_count() -> int:
    """How many steps make the demo: filming, and the stages of the pipeline, each item of a matrix one."""
    return len(read_dag(workspace())) + 1


def glance(ask: Callable[[], T]) -> tuple[T | None, DnsError | None]:
    """What ``ask`` returns, or the foreseen error that it raises; the rest of the page is drawn."""
    try:
        return ask(), None
    except DnsError as error:
        return None, error
