"""A worker on a Ray cluster: an actor that starts the work's worker and does parts."""

import hashlib
import os
import socket
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ray
from threadpoolctl import threadpool_limits

import dns_core
from dns_core.errors import DnsError, MismatchError
from dns_core.fleet import Card, Place, Task, Work, Worker, card_of
from dns_ops.fleet.threads import ONE_THREAD

_WORKER_BYTES = 1536 << 20


@cache
def code_fingerprint() -> str:
    """Of the code that describes videos, as it is on this machine."""
    root = Path(dns_core.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Ready:
    """What a worker says once it has started: its machine, its code, and what it could not start with."""

    node: str
    host: str
    code: str
    error: DnsError | None

    def check(self) -> None:
        """Refuse a worker that could not start, or has other code.

        Raises:
            DnsError: why.
        """
        if self.code != code_fingerprint():
            raise MismatchError(f"code of the worker on {self.host}", code_fingerprint(), self.code)
        if self.error:
            raise self.error


@ray.remote(num_cpus=1, memory=_WORKER_BYTES, max_restarts=0, max_task_retries=0)
class Hand:
    """Does parts of a work with one thread; Ray places it.

    Args:
        work: what is done.
        place: of the worker.
    """

    def __init__(self, work: Work, place: Place) -> None:
        os.environ.update(ONE_THREAD)
        threadpool_limits(1)
        self._work, self._place = work, place
        self._worker: Worker | None = None

    def ready(self) -> Ready:
        """Start the worker, and say where it is."""
        error = None
        try:
            self._worker = self._work.start(self._place)
        except DnsError as refused:
            error = refused
        node = ray.get_runtime_context().get_node_id()
        return Ready(node, socket.gethostname(), code_fingerprint(), error)

    def do(self, part: list[Task]) -> tuple[list[Card], float]:
        """Cards of the tasks, and the seconds that they took."""
        assert self._worker is not None  # noqa: S101 - it is given parts once it is ready
        began = time.monotonic()
        return [card_of(self._worker, task) for task in part], time.monotonic() - began


def hire(work: Work, place: Place) -> tuple[Any, Any]:
    """A new hand, and the reference that is done when it is ready."""
    hand: Any = Hand.remote(work, place)  # type: ignore[attr-defined] # Ray's own
    return hand, hand.ready.remote()
