"""``dns dashboard``: what it starts, and where it refuses to."""

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dns_apps.cli.main import app


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """The programs that took this one's place."""
    monkeypatch.chdir(tmp_path)
    programs: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: programs.append(given))
    return programs


def test_it_is_served_to_this_machine_alone_on_the_port_of_the_settings(
    started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNS_DASHBOARD_PORT", "8765")
    monkeypatch.delenv("DNS_TRACKING_URI", raising=False)
    assert CliRunner().invoke(app, ["dashboard"]).exit_code == 0
    ((_, command, environment),) = started
    assert command[3:7] == ("--server.address", "127.0.0.1", "--server.port", "8765")
    assert environment["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"
    assert "DNS_TRACKING_URI" not in environment


@pytest.mark.parametrize("host", ["192.0.2.1", "::", "example.org"])
def test_others_are_let_in_only_with_a_token(
    started: list[Any], monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    refused = CliRunner().invoke(app, ["dashboard", "--host", host])
    assert refused.exit_code == 2
    assert "DNS_DASHBOARD_TOKEN" in refused.stderr
    assert started == []
    monkeypatch.setenv("DNS_DASHBOARD_TOKEN", "secret")
    assert CliRunner().invoke(app, ["dashboard", "--host", host]).exit_code == 0
    assert len(started) == 1
    assert "secret" not in str(started[0][1])
