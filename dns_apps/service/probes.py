"""Whether the parts of a service work: each is asked, at most every few seconds."""

import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dns_apps.service.live_index import LiveIndex
from dns_apps.service.query_jobs import QueryJobs
from dns_apps.service.query_store import QueryStore
from dns_core.decoding.decoders import Decoders
from dns_core.store.room import is_full

_AGAIN_AFTER_S = 2.0


class _Probed(Protocol):
    def probe(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Condition:
    """What was found.

    Attributes:
        broken: parts without which no query is answered, and what is wrong with each.
        limits: what is not done at present, and why; queries are answered.
    """

    broken: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class Probes:
    """Asks the parts of a service.

    Args:
        folder: on the disk that the service writes to.
        records: likewise.
        query_jobs: has queries that wait for room.
        decoders: must answer.
        live_index: must describe and search; only asked while nothing else computes.
    """

    def __init__(
        self,
        folder: Path,
        query_store: QueryStore,
        *,
        query_jobs: QueryJobs,
        decoders: Decoders,
        live_index: LiveIndex,
    ) -> None:
        self._folder = folder
        self._query_store = query_store
        self._query_jobs = query_jobs
        self._vital: dict[str, _Probed] = {
            "database": query_store,
            "decoders": decoders,
            "engine": live_index,
        }
        self._lock = threading.Lock()
        self._found = Condition()
        self._asked_at_s = -_AGAIN_AFTER_S

    def condition(self) -> Condition:
        """How the parts are now, or were some seconds ago."""
        with self._lock:
            if time.monotonic() - self._asked_at_s >= _AGAIN_AFTER_S:
                self._found = self._asked()
                self._asked_at_s = time.monotonic()
            return self._found

    def _asked(self) -> Condition:
        broken: list[str] = []
        limits: list[str] = []
        for name, part in self._vital.items():
            try:
                part.probe()
            except Exception as error:  # noqa: BLE001 - any error means that the part does not work
                (limits if is_full(error) else broken).append(f"{name}: {error}")
        if not self._writes():
            limits.append("the disk is full: uploads and labels are refused")
        if n_waiting := self._query_jobs.catch_up():
            limits.append(f"{n_waiting} queries are kept in memory alone")
        if self._query_store.problem:
            limits.append(f"what was kept before is read, nothing is added: {self._query_store.problem}")
        return Condition(tuple(broken), tuple(limits))

    def _writes(self) -> bool:
        try:
            with tempfile.TemporaryFile(dir=self._folder) as file:
                file.write(bytes(4096))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return False
        return self._query_jobs.has_room(0)
