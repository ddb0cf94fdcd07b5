"""A Ray cluster of several machines, all of which are this one; nothing of it is outside of loopback."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from dns_core.fleet import Place
from dns_ops.fleet.connection import Address, cluster_environment, head_command, node_command, open_cluster

_ROOT = Path(__file__).resolve().parents[1]
_PATIENCE_S = 90.0


@dataclass
class RayMachines:
    """Processes of `ray start`, one a machine.

    Attributes:
        home: private folder for the token and the logs.
        port: of the head.
        running: the machines, the head first.
    """

    home: Path
    port: int
    running: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def address(self) -> Address:
        """Of the cluster."""
        return Address(f"127.0.0.1:{self.port}", self.home)

    def start(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        """Start a machine."""
        environment = {**os.environ, **cluster_environment(self.home), "PYTHONPATH": str(_ROOT)}
        with (self.home / f"{len(self.running)}.log").open("wb") as log:
            started = subprocess.Popen(  # noqa: S603 - commands of dns_ops.fleet.connection
                command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=_ROOT
            )
        self.running.append(started)
        return started

    def start_head(self, prefix: Sequence[str] = ()) -> None:
        """Start the first machine, of one core, and wait until it listens."""
        self.start((*prefix, *head_command("127.0.0.1", self.port, 1)))
        until = time.monotonic() + _PATIENCE_S
        while _connection_problem(self.port):
            if time.monotonic() > until:
                raise TimeoutError((self.home / "0.log").read_text())
            time.sleep(0.2)

    def join(self, prefix: Sequence[str] = ()) -> "subprocess.Popen[bytes]":
        """Start another machine of one core."""
        return self.start((*prefix, *node_command(self.address.text, 1)))

    def await_nodes(self, n: int) -> None:
        """Wait until so many machines live."""
        import ray  # noqa: PLC0415 - an extra

        until = time.monotonic() + _PATIENCE_S
        while sum(node["Alive"] for node in ray.nodes()) != n:
            if time.monotonic() > until:
                raise TimeoutError(f"expected {n} machines, found {ray.nodes()}")
            time.sleep(0.2)

    @staticmethod
    def kill(machine: "subprocess.Popen[bytes]") -> None:
        """End all processes of a machine at once, as when the power fails."""
        with suppress(ProcessLookupError):
            os.killpg(machine.pid, signal.SIGKILL)
        machine.wait(10)


@contextmanager
def ray_machines(n: int, home: Path, *, bound: bool = False) -> Iterator[RayMachines]:
    """A cluster to which this process is connected.

    Args:
        n: machines of one core each.
        home: private folder; made if it is not there.
        bound: each machine has a core of its own, from the first on.
    """
    import_with_token(home)
    import ray  # noqa: PLC0415 - an extra

    from dns_ops.fleet.cluster import connect  # noqa: PLC0415 - it loads Ray

    found = RayMachines(home, free_port())
    prefixes = [("taskset", "-c", str(core)) if bound else () for core in range(n)]
    try:
        found.start_head(prefixes[0])
        for prefix in prefixes[1:]:
            found.join(prefix)
        connect(found.address)
        found.await_nodes(n)
        yield found
        ray.shutdown()
    finally:
        for machine in reversed(found.running):
            found.kill(machine)


def import_with_token(home: Path) -> None:
    """Load Ray with the token of a folder, which is made if there is none."""
    home.mkdir(mode=0o700, exist_ok=True)
    open_cluster(Address("127.0.0.1:0", home), Place())


def free_port() -> int:
    """A free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _connection_problem(port: int) -> int:
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port))
