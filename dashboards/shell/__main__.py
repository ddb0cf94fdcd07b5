"""``python -m dashboards.shell``: the dashboard behind its guard, in memory before anybody opens a page."""

import inspect
import sys
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from dashboards.data.records import read_ahead
from dashboards.data.service import workspace
from dashboards.navigation import PAGES
from dns_ops.browser_guard import BrowserGuard, Visitors, host_names, is_local
from dns_ops.settings import load_settings


def main() -> None:
    """Serve the dashboard until stopped; the arguments of this process are options of Streamlit's."""
    for entry in PAGES:
        import_module(f"dashboards.pages.{entry.name}")
    _spare_the_first_visitor()
    read_ahead()
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    config = {name.removeprefix("--"): int(v) if v.isdecimal() else v for name, v in options.items()}
    hosts = host_names(load_settings(workspace()).allowed_hosts)
    visitors = Visitors(is_local(str(config["server.address"])), hosts)
    guard = Middleware(BrowserGuard, visitors=visitors)
    sys.argv = [__file__]  # Streamlit looks for its settings beside it
    st.App(Path(__file__).with_name("app.py"), middleware=[guard]).run(config=config)


def _spare_the_first_visitor() -> None:
    """Do now what Streamlit does once, when it draws its first page: 0.6 s."""
    import_module("PIL.Image")  # opens the icon
    inspect.stack()  # where it looks for an interactive shell: every module's file is looked up


if __name__ == "__main__":
    main()
