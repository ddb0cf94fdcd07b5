"""Work on a Ray cluster: parts go to workers on any machine; what dies is repeated, and cards alone travel.

Workers write their records to a folder that all machines share. The driver keeps nothing that matters: what
is not there yet is done by the next run.
"""

import statistics
import time
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.exceptions import AuthenticationError, RayActorError, RayTaskError

from dns_core.errors import ArtefactError, InputError
from dns_core.fleet import TRIES, Card, Place, Task, Work
from dns_ops.fleet.connection import LOCAL, STORE_BYTES, Address, require_head
from dns_ops.fleet.hands import Ready, hire
from dns_ops.fleet.loopback import stay_on_loopback
from dns_ops.fleet.verdicts import Verdicts

_LIMIT_S = 24 * 3600.0
_MOST_IN_PART = 16
_PARTS_A_HAND = 4
_STRAGGLES = 3.0  # times the usual time of as many tasks
_STRAGGLES_S = 5.0
_TICK_S = 1.0
_MOST_FAILED_STARTS = 20


@dataclass(slots=True)
class _Busy:
    """A part that a hand is at."""

    hand: Any
    node: str
    part: list[Task]
    began_s: float
    repeated: bool = False


class RayFleet:
    """Runs work on a cluster.

    Args:
        address: of the cluster.
        place: of the workers; the decoder of each has one thread.
        limit_s: for each task of a part; then its worker is stopped, as if it had died.
    """

    def __init__(self, address: Address, place: Place, *, limit_s: float = _LIMIT_S) -> None:
        self.address = address
        self.place = place
        self.limit_s = limit_s

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        """A card for each task as it ends; a task on which three workers died has a reason why.

        Raises:
            InputError: there is no cluster.
            MismatchError: a worker has other code or models.
            ArtefactError: workers do not start.
        """
        if not tasks:
            return
        connect(self.address)
        run = _Run(self, work, tasks)
        try:
            yield from run.cards()
        finally:
            run.stop()


class _Run:
    def __init__(self, fleet: RayFleet, work: Work, tasks: Sequence[Task]) -> None:
        self._work, self._place = work, replace(fleet.place, threads=1)
        self._limit_s = fleet.limit_s
        self._left = {task.id for task in tasks}
        self._waiting = deque(_parts(tasks))
        self._judged: list[Task] = []
        self._starting: dict[Any, Any] = {}
        self._idle: list[tuple[Any, str]] = []
        self._busy: dict[Any, _Busy] = {}
        self._verdicts = Verdicts()
        self._n_failed_starts = 0
        self._took_s: deque[float] = deque(maxlen=200)

    def cards(self) -> Generator[Card, None, None]:
        while self._left:
            self._hire()
            self._assign()
            done, _ = ray.wait([*self._busy, *self._starting], num_returns=1, timeout=_TICK_S)
            for ref in done:
                for card in self._ended(ref):
                    if card.id in self._left:  # of a part that was repeated, the first card counts
                        self._left.remove(card.id)
                        yield card
            self._stop_late()
            yield from self._judge()

    def stop(self) -> None:
        """End all workers."""
        hands = [
            *self._starting.values(),
            *(h for h, _ in self._idle),
            *(b.hand for b in self._busy.values()),
        ]
        for hand in hands:
            _kill(hand)

    def _hire(self) -> None:
        """Have a worker for each processor, as machines come and go, and no more than parts."""
        cores = int(ray.cluster_resources().get("CPU", 0)) or 1
        there = len(self._idle) + len(self._busy) + len(self._starting)
        wanted = min(cores, there - len(self._idle) + len(self._waiting)) - there
        for _ in range(max(wanted, 0 if there else 1)):
            hand, ready = hire(self._work, self._place)
            self._starting[ready] = hand

    def _assign(self) -> None:
        while self._idle and (part := self._next_part()):
            hand, node = self._idle.pop()
            self._busy[hand.do.remote(part)] = _Busy(hand, node, part, time.monotonic())

    def _next_part(self) -> list[Task] | None:
        while self._waiting:
            if part := [task for task in self._waiting.popleft() if task.id in self._left]:
                return part
        for busy in self._busy.values():
            usual_s = len(busy.part) * statistics.median(self._took_s) if self._took_s else float("inf")
            age_s = time.monotonic() - busy.began_s
            if not busy.repeated and age_s > max(_STRAGGLES * usual_s, _STRAGGLES_S):
                busy.repeated = True
                return [task for task in busy.part if task.id in self._left] or None
        return None

    def _ended(self, ref: Any) -> list[Card]:
        hand = self._starting.pop(ref, None)
        if hand is not None:
            self._started(hand, ref)
            return []
        busy = self._busy.pop(ref)
        try:
            cards, took_s = ray.get(ref)
        except RayActorError:
            self._died(busy)
            return []
        except RayTaskError as error:
            raise error.cause from error
        self._took_s.append(took_s / len(cards))
        self._idle.append((busy.hand, busy.node))
        found: list[Card] = cards
        return found

    def _started(self, hand: Any, ref: Any) -> None:
        try:
            ready: Ready = ray.get(ref)
        except RayActorError as error:
            self._n_failed_starts += 1
            if self._n_failed_starts > _MOST_FAILED_STARTS:
                raise ArtefactError(f"expected workers that start, found {error}") from error
            return
        ready.check()
        self._idle.append((hand, ready.node))

    def _died(self, busy: _Busy) -> None:
        """Do its tasks again, each alone; one that was alone may be to blame."""
        _kill(busy.hand)
        part = [task for task in busy.part if task.id in self._left]
        if len(busy.part) > 1:
            self._waiting.extendleft([task] for task in part)
            return
        for task in part:
            self._verdicts.note(task.id, busy.node, time.monotonic())
            self._judged.append(task)

    def _judge(self) -> Generator[Card, None, None]:
        """Cards of the tasks that are given up; others are tried again, or wait for the verdict."""
        judged, self._judged = self._judged, []
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]} if judged else set()
        for task in judged:
            verdict = self._verdicts.of(task.id, alive, time.monotonic())
            if verdict == "wait":
                self._judged.append(task)
            elif verdict == "again":
                self._waiting.append([task])
            elif task.id in self._left:
                self._left.remove(task.id)
                yield Card(task.id, {}, "corrupt", f"the worker died on it, or took too long, {TRIES} times")

    def _stop_late(self) -> None:
        """Stop workers that take too long; their death is then met as any other."""
        for busy in self._busy.values():
            if time.monotonic() - busy.began_s > self._limit_s * len(busy.part):
                _kill(busy.hand)


def connect(address: Address) -> None:
    """Connect this process, once; a cluster of its own ends with it."""
    if ray.is_initialized():
        return
    stay_on_loopback()
    if address.text == LOCAL:
        ray.init(
            "local",
            num_cpus=address.n_cores,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            _node_ip_address="127.0.0.1",
            log_to_driver=False,
            logging_level="error",
        )
        return
    require_head(address.text)
    try:
        ray.init(address.text, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, AuthenticationError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"DNS_CLUSTER={address.text}: expected a cluster that takes us: {reason}") from error


def _parts(tasks: Sequence[Task]) -> list[list[Task]]:
    """Tasks in parts, enough of them that all processors end at about the same time."""
    cores = int(ray.cluster_resources().get("CPU", 0)) or 1
    size = max(1, min(_MOST_IN_PART, len(tasks) // (_PARTS_A_HAND * cores)))
    return [list(tasks[start : start + size]) for start in range(0, len(tasks), size)]


def _kill(hand: Any) -> None:
    with suppress(Exception):  # it may be dead, or its machine gone
        ray.kill(hand, no_restart=True)
