"""What one machine does that holds a group of shards."""

import os
import socket
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import CorruptArtefactError, DnsError, MismatchError
from dns_core.index import Index
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.chunked_video import ChunkedVideo
from dns_core.retrieval.local_shards import LocalShards
from dns_core.retrieval.shards import CoarseQuery
from dns_ops.holders.plans import Plan
from dns_ops.holders.pulling import LocalFiles

_WARM_ROWS = 4
_STEPS = ("seen", "fine_scores", "segments", "best_frames")


class NotHeldError(DnsError):
    """A holder does not hold a version: it has been restarted, is still pulling, or has found damage."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a holder says of itself.

    Attributes:
        host: its machine.
        process: its number there.
        keys: of the versions that it answers for.
        preparing: of those that it is pulling, opening or warming up.
        problems: why it cannot hold others, by key.
    """

    host: str
    process: int
    keys: frozenset[str]
    preparing: frozenset[str]
    problems: Mapping[str, str] = field(default_factory=dict)


class Holder:
    """Holds a group of shards, of two versions while one follows the other.

    Args:
        home: folder on a local disk, of this holder alone.
        code: fingerprint of the code here.
    """

    def __init__(self, home: Path, code: str) -> None:
        self._files = LocalFiles(home)
        self._code = code
        self._held: dict[str, dict[str, LocalShards]] = {}
        self._preparing: set[str] = set()
        self._problems: dict[str, str] = {}
        self._lock = threading.Lock()

    def prepare(self, plan: Plan) -> None:
        """Pull a version, open it and warm it up; from then on it is answered for.

        Raises:
            MismatchError: other code or models than planned are here.
            MissingArtefactError: a file cannot be had.
            CorruptArtefactError: a file is not what was written.
        """
        with self._lock:
            if plan.key in self._held:
                return
            self._preparing.add(plan.key)
            try:
                self._held[plan.key] = self._opened(plan)
                self._problems.pop(plan.key, None)
            except DnsError as error:
                self._problems[plan.key] = str(error)
                raise
            finally:
                self._preparing.discard(plan.key)

    def step(self, key: str, fine: str, name: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """One step of a search, over the shards of one version.

        Raises:
            NotHeldError: the version is not held, or not any more.
            CorruptArtefactError: a file is damaged; the version is not held until it is prepared again.
        """
        held = self._held.get(key)
        if held is None or name not in _STEPS:
            raise NotHeldError(f"{socket.gethostname()} does not hold version {key}")
        try:
            return getattr(held[fine], name)(*args, **options)
        except CorruptArtefactError as error:
            self._held.pop(key, None)
            self._problems[key] = str(error)
            raise

    def held(self) -> Held:
        """What is held now."""
        here = socket.gethostname(), os.getpid()
        return Held(*here, frozenset(self._held), frozenset(self._preparing), dict(self._problems))

    def keep(self, keys: Collection[str]) -> None:
        """Remove all versions but those of ``keys``."""
        with self._lock:
            for key in self._held.keys() - set(keys):
                del self._held[key]
                self._files.forget(key)

    def _opened(self, plan: Plan) -> dict[str, LocalShards]:
        computing = plan.computing
        if computing.code != self._code:
            raise MismatchError(f"code of the holder on {socket.gethostname()}", computing.code, self._code)
        folder, models = self._files.pull(plan)
        bundle = Bundle.load(models)
        plan.manifest.check_models(bundle.index_models(computing.fines))
        index = Index(folder, plan.manifest)
        opened = {fine: LocalShards(index, bundle, fine, computing.limits) for fine in computing.fines}
        for fine, shards in opened.items():
            _warm(index, fine, shards)
        return opened


def _warm(index: Index, fine: str, shards: LocalShards) -> None:
    """Compile kernels, read all vectors and compare some videos, before it is done for a query."""
    record = index.record(0)
    shards.seen(CoarseQuery(record.coarse, record.numbers[fine], record.panes), shortlisted=False)
    shards.seen(CoarseQuery(record.coarse, record.numbers[fine], record.panes), shortlisted=True)
    query, rows = ChunkedVideo.stored(record, fine), np.arange(min(_WARM_ROWS, index.n_videos))
    shards.fine_scores(query, rows)
    shards.segments(query, rows[:1])
