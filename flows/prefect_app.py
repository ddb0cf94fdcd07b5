"""Prefect's server as an ASGI application behind the guard; ``dns up`` has uvicorn serve it."""

from pathlib import Path

from prefect.server.api.server import create_app as prefect_app
from prefect.settings import PREFECT_SERVER_API_AUTH_STRING

from dns_core.errors import InputError
from dns_ops.browser_guard import BrowserGuard, Visitors, host_names
from dns_ops.settings import load_settings


def create_app() -> BrowserGuard:
    """Prefect's API, pages and services; the environment says where it keeps what it knows.

    Raises:
        InputError: it would ask for no password.
    """
    if not PREFECT_SERVER_API_AUTH_STRING.value():
        raise InputError("PREFECT_SERVER_API_AUTH_STRING: expected a password, found none; use `dns up`")
    hosts = host_names(load_settings(Path.cwd()).allowed_hosts)
    return BrowserGuard(prefect_app(final=True), Visitors(hosts=hosts))
