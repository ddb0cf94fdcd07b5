"""A Ray cluster of two machines, both of which are this one; nothing of it is outside of loopback."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import pytest

from dns_core.fleet import Place
from dns_ops.fleet.connection import Address, cluster_environment, head_command, node_command, open_cluster

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Machines:
    """Processes of `ray start`, one a machine."""

    home: Path
    port: int
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> Address:
        return Address(f"127.0.0.1:{self.port}", self.home)

    def start(self, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **cluster_environment(self.home), "PYTHONPATH": str(ROOT)}
        log = (self.home / f"{len(self.running)}.log").open("wb")
        with log:
            started = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=ROOT
            )
        self.running.append(started)
        return started

    def join(self) -> subprocess.Popen[bytes]:
        return self.start(node_command(self.address.text, 1))

    def await_nodes(self, n: int) -> None:
        import ray  # noqa: PLC0415 - an extra

        until = time.monotonic() + 90
        while sum(node["Alive"] for node in ray.nodes()) != n:
            assert time.monotonic() < until, f"expected {n} machines, found {ray.nodes()}"
            time.sleep(0.2)

    def kill(self, machine: subprocess.Popen[bytes]) -> None:
        """As when the power fails: all its processes at once."""
        with suppress(ProcessLookupError):
            os.killpg(machine.pid, signal.SIGKILL)
        machine.wait(10)


def connection_problem(port: int) -> int:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port))


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    if find_spec("ray") is None:
        pytest.skip("ray is not installed (extra cluster): the cluster is not tested")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = Machines(tmp_path_factory.mktemp("cluster"), port)
    found.start(head_command("127.0.0.1", port, 1))
    until = time.monotonic() + 60
    while connection_problem(port):
        assert time.monotonic() < until, (found.home / "0.log").read_text()
        time.sleep(0.2)
    open_cluster(found.address, Place())  # Ray is loaded with the token
    import ray  # noqa: PLC0415 - an extra

    found.join()
    ray.init(found.address.text, log_to_driver=False, logging_level="error")
    found.await_nodes(2)
    yield found
    ray.shutdown()
    for machine in reversed(found.running):
        found.kill(machine)
