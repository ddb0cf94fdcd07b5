"""How this process comes to a Ray cluster: one of its own on this machine, or one that runs.

Every cluster wants a token, and listens on loopback unless told otherwise. The token is made once and lies in
the workspace's ``.platform``; other machines get it by ``RAY_AUTH_TOKEN``.
"""

import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from dns_core.errors import InputError
from dns_core.fleet import Fleet, Place

LOCAL = "local"
STORE_BYTES = 100 << 20  # cards are small
_TOKEN = "ray-token"  # noqa: S105 - a name of a file
_CONNECT_S = 5.0
_RAY_START = (
    sys.executable, "-c", "from dns_ops.fleet.loopback import stay_on_loopback; stay_on_loopback(); "
    "from ray.scripts.scripts import main; main()", "start", "--block",
    "--disable-usage-stats", f"--object-store-memory={STORE_BYTES}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """A cluster.

    Attributes:
        text: ``local``, or ``HOST:PORT`` of its head.
        home: private folder that has the token, if the environment does not name one.
        n_cores: of a cluster of this machine's own.
    """

    text: str
    home: Path
    n_cores: int = 1


def cluster_environment(home: Path) -> dict[str, str]:
    """Variables with which Ray asks for the token; the token is made if there is none."""
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_RECORD_ACTOR_TASK_LOGGING": "0"}
    found = {"RAY_AUTH_MODE": "token", **quiet}
    if "RAY_AUTH_TOKEN" in os.environ:
        return found
    file = home / _TOKEN
    if not file.exists():
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            opened.write(secrets.token_hex(32))
    return {**found, "RAY_AUTH_TOKEN_PATH": str(file.resolve())}


def open_cluster(address: Address, place: Place, **options: float) -> Fleet:
    """The fleet of a cluster; it is connected to when there is work.

    Args:
        address: of the cluster.
        place: of the workers.
        **options: of `dns_ops.fleet.cluster.RayFleet`.
    """
    os.environ.update(cluster_environment(address.home))
    from dns_ops.fleet.cluster import RayFleet  # noqa: PLC0415 - Ray reads the variables when it is loaded

    return RayFleet(address, place, **options)


def head_command(host: str, port: int, n_cores: int) -> tuple[str, ...]:
    """Program and arguments that run the head of a cluster, which works as well.

    Args:
        host: address of this machine that it listens on.
        port: of the head.
        n_cores: workers on this machine.
    """
    return (
        *_RAY_START,
        "--head",
        f"--node-ip-address={host}",
        f"--port={port}",
        f"--num-cpus={n_cores}",
        "--include-dashboard=false",
    )


def node_command(address: str, n_cores: int) -> tuple[str, ...]:
    """Program and arguments that run this machine's part of a cluster.

    Args:
        address: ``HOST:PORT`` of its head; one on loopback has its nodes there.
        n_cores: workers on this machine.
    """
    local = ("--node-ip-address=127.0.0.1",) if address.startswith("127.0.0.1:") else ()
    return (*_RAY_START, f"--address={address}", f"--num-cpus={n_cores}", *local)


def require_head(text: str) -> None:
    """Look for the head of a cluster.

    Raises:
        InputError: nothing answers there, or the address is none.
    """
    host, _, port = text.rpartition(":")
    if not (host and port.isdecimal()):
        raise InputError(f"DNS_CLUSTER={text}: expected local or HOST:PORT of the head of a cluster")
    try:
        socket.create_connection((host, int(port)), _CONNECT_S).close()
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"DNS_CLUSTER={text}: expected the head of a cluster, found none ({reason})"
        ) from error
