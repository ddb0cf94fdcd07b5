"""``dns dashboard``: the pages of this workspace in a browser."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.output import print_line
from dns_core.errors import MissingArtefactError

Port = Annotated[
    int, typer.Option(metavar="PORT", min=0, max=65535, help="0: that of the settings, 8501 without any.")
]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Of this machine; others may ask at it.")]


def dashboard(port: Port = 0, host: Host = "127.0.0.1") -> None:
    """Serve the dashboard of this folder until Ctrl-C."""
    if find_spec("streamlit") is None:
        raise MissingArtefactError(
            "the dashboard is not installed: pip install 'distill-and-select[dashboard]'"
        )
    from dns_ops.browser_guard import is_local
    from dns_ops.platform.services import dashboard_command, dashboard_environment
    from dns_ops.settings import SettingsError, load_settings, signs_in

    root = Path.cwd()
    settings = load_settings(root)
    chosen = port or settings.dashboard_port
    if not (is_local(host) or settings.dashboard_token.get_secret_value() or signs_in(root)):
        raise SettingsError(
            f"DNS_DASHBOARD_TOKEN: expected one, for others can connect to {host}; found none, "
            "nor a provider to sign in with in .streamlit/secrets.toml"
        )
    command = dashboard_command(settings, host, chosen)
    print_line(f"dashboard: http://{host}:{chosen}")
    # Its own process from here on: signals reach it, and nothing of ours stays in memory.
    os.execve(command[0], command, {**os.environ, **dashboard_environment(root, settings)})  # noqa: S606
