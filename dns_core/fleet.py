"""The work of many tasks, on one process, all cores or a cluster: what is to be done, and by what.

A worker is a class of the core with JSON for its settings. Tasks and cards are JSON, and small: the worker
writes what is large, where its settings say. So any fleet may run it, and a task that is done twice writes
the same bytes.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol

from threadpoolctl import threadpool_limits

from dns_core.errors import InputError, VideoError
from dns_core.records import Quarantined

TRIES = 3
"""A video whose decoder or worker died so often is given up."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker runs; nothing in here changes a result.

    Attributes:
        device: torch device of its networks.
        threads: of the decoder; 0 leaves the number to FFmpeg.
        decoder_bytes: address space of the decoder process.
        decoder_s: seconds after which a decoder that gives nothing is stopped.
        decoder: the program of the decoder process; tests have one of their own.
    """

    device: str = "cpu"
    threads: int = 0
    decoder_bytes: int = 4 << 30
    decoder_s: float = 300.0
    decoder: str = "dns_core.decoding.decoder"


@dataclass(frozen=True, slots=True)
class Task:
    """One video to work on.

    Attributes:
        id: of the video; different for each task of a run.
        facts: what the worker needs to know, as JSON.
    """

    id: str
    facts: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """What became of a task: facts as JSON, or a reason why there are none."""

    id: str
    facts: Json = field(default_factory=dict)
    reason: str = ""
    detail: str = ""

    def quarantined(self, sha256: str = "") -> Quarantined:
        """The row of the quarantine list."""
        return Quarantined(self.id, self.reason, self.detail, sha256 or self.facts.get("sha256", ""))


class Worker(Protocol):
    """Does tasks, one after the other."""

    def do(self, task: Task) -> Json:
        """What there is to say of the finished task; raises VideoError if the video cannot be used."""
        ...

    def close(self) -> None:
        """Let go of everything, the decoder too."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of worker and its settings.

    Attributes:
        worker: ``module:Class``, called with the settings and the place.
        settings: JSON; all that decides the results beside the tasks.
    """

    worker: str
    settings: Json

    def start(self, place: Place) -> Worker:
        """A worker at a place."""
        module, _, name = self.worker.partition(":")
        worker: Worker = getattr(import_module(module), name)(self.settings, place)
        return worker


class Fleet(Protocol):
    """Runs work."""

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        """A card for each task, in any order; each task once, even if processes die meanwhile."""
        ...


class LocalFleet:
    """Null fleet: one worker, in this process.

    Args:
        place: of the worker.
    """

    def __init__(self, place: Place | None = None) -> None:
        self.place = place or Place()

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        """A card for each task, in order."""
        if not tasks:
            return
        # Products of matrices round by how many threads compute them; workers of a pool have one.
        with closing(work.start(self.place)) as worker, threadpool_limits(1, user_api="blas"):
            for task in tasks:
                yield card_of(worker, task)


def card_of(worker: Worker, task: Task) -> Card:
    """What became of a task; a video that cannot be used is a card with a reason."""
    try:
        return Card(task.id, worker.do(task))
    except VideoError as error:
        return Card(task.id, {}, error.reason, error.detail)


def run_all(fleet: Fleet, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
    """As `Fleet.run`, and at the end the count is right.

    Raises:
        InputError: two tasks have one id.
        RuntimeError: a task has no card, or two: a defect of the fleet.
    """
    _require_different(tasks)
    waiting = {task.id for task in tasks}
    with closing(fleet.run(work, tasks)) as cards:
        for card in cards:
            if card.id not in waiting:
                raise RuntimeError(f"expected one card for each task, found another for {card.id!r}")
            waiting.remove(card.id)
            yield card
    if waiting:
        raise RuntimeError(
            f"expected a card for each of {len(tasks)} tasks, found none for {sorted(waiting)[:5]}"
        )


def _require_different(tasks: Sequence[Task]) -> None:
    twice = sorted(name for name, count in Counter(task.id for task in tasks).items() if count > 1)
    if twice:
        raise InputError(f"expected each video once, found twice: {', '.join(twice[:5])}")
