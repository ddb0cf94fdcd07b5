"""``dns serve`` as a process: when it refuses to start, and what it leaves when it stops."""

import os
import platform
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceUnreachableError

DNS = Path(sys.executable).parent / "dns"
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("DNS_")}


def test_it_does_not_start_where_others_can_reach_it_without_tokens(tmp_path: Path) -> None:
    done = subprocess.run(
        [DNS, "serve", "--host", "0.0.0.0"],  # noqa: S104 - it refuses
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "DNS_SERVE_HOST=0.0.0.0: others can connect; expected DNS_SERVE_QUERY_TOKENS" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_answers_until_it_is_told_to_stop_and_leaves_no_process(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([DNS, "serve", "--port", str(port)], cwd=tmp_path, env=ENVIRONMENT)
    try:
        with Client(f"http://127.0.0.1:{port}") as client:
            assert "holds no index" in answered(client, server)
        family = psutil.Process(server.pid).children(recursive=True)
        assert family
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert [path.name for path in tmp_path.iterdir()] == [".platform"]


def answered(client: Client, server: subprocess.Popen[bytes]) -> str:
    """What the service says of its readiness, once it has looked for an index."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            detail = client.readiness().detail
        except ServiceUnreachableError:
            detail = ""
        if detail and "being opened" not in detail:
            return detail
        time.sleep(0.2)
    raise AssertionError("the service never answered")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_large_arrays_that_are_let_go_are_given_back() -> None:
    code = """
import sys
import numpy as np
import psutil
import pytest
from dns_apps.service.server import give_memory_back
if sys.argv[1] == "give back":
    give_memory_back()
np.ones(3 << 20)  # from now on glibc keeps arrays of this size, if it may
arrays = [np.ones(2 << 20) for _ in range(12)]
kept = arrays[-1]
del arrays
print(psutil.Process().memory_info().rss >> 20)
"""
    held = [
        int(subprocess.run([sys.executable, "-c", code, word], capture_output=True, check=True).stdout)
        for word in ("give back", "keep")
    ]
    assert held[0] < held[1] - 100
