"""``dns up`` and ``dns status`` as processes, with services of no weight in place of the platform's."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

CODE = """
import sys
from dns_ops.platform import services
from dns_ops.platform.services import Service
services.enabled_services = lambda *_: ({services},)
from dns_apps.cli.main import main
main()
"""
IDLE = 'Service("idle", ("sleep", "100"))'
NEVER_HEALTHY = 'Service("never", ("sleep", "100"), port=9, health="/")'

Dns = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def dns(tmp_path: Path) -> Dns:
    def started(services: str, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", CODE.format(services=services), *words],
            cwd=tmp_path, env={**os.environ, "DNS_TRACKING_URI": "off"}, text=True, stdout=subprocess.PIPE,
        )  # fmt: skip

    return started


def test_up_that_is_told_to_end_leaves_nothing(dns: Dns, tmp_path: Path) -> None:
    record = tmp_path / ".platform" / "services" / "never.json"
    with dns(NEVER_HEALTHY, "up") as up:
        deadline = time.monotonic() + 60
        while not record.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        up.send_signal(signal.SIGTERM)
        assert up.wait(60) != 0
    assert of_platform(tmp_path) == []
    assert not record.exists()


def test_up_that_is_killed_leaves_nothing(dns: Dns, tmp_path: Path) -> None:
    record = tmp_path / ".platform" / "services" / "never.json"
    with dns(f"{IDLE}, {NEVER_HEALTHY}", "up") as up:
        deadline = time.monotonic() + 60
        while not record.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        up.kill()
    while of_platform(tmp_path):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not list(record.parent.glob("*.json"))


def of_platform(root: Path) -> list[psutil.Process]:
    """Processes that know the platform's folder: supervisord, what runs under it, what watches `dns up`."""
    found = []
    for process in psutil.process_iter():
        try:
            said = [*process.cmdline(), *process.environ().values()]
            if process.status() != psutil.STATUS_ZOMBIE and any(f"{root}/.platform" in text for text in said):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_status_fails_when_a_service_is_down(dns: Dns) -> None:
    def status() -> tuple[int, list[str]]:
        with dns(IDLE, "status", "--json") as asked:
            said = json.loads(asked.communicate(timeout=60)[0])
        return asked.returncode, [row["state"] for row in said]

    assert status() == (1, ["stopped"])
    with dns(IDLE, "up") as up:
        assert up.wait(60) == 0
    try:
        assert status() == (0, ["running"])
    finally:
        with dns(IDLE, "down") as down:
            assert down.wait(60) == 0
