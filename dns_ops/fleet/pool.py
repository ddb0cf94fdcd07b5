"""Workers of one thread each, on the cores of this machine; one that dies costs nothing but time."""

import multiprocessing
import os
import signal
from collections import Counter, deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace

from pebble import ProcessExpired, ProcessPool
from threadpoolctl import threadpool_limits

from dns_core.decoding.parent import end_with_parent
from dns_core.fleet import TRIES, Card, LocalFleet, Place, Task, Work, Worker, card_of
from dns_ops.fleet.threads import ONE_THREAD

_AHEAD = 2  # tasks a worker: one at work, one that waits
_WORTH = 8  # tasks; for fewer, this process is ready before others have started
_LIMIT_S = 24 * 3600.0
_RENEWED_AFTER = 2000  # tasks, in case a library leaks


class PoolFleet:
    """Runs work in processes.

    Args:
        n_workers: processes.
        place: of the workers; the decoder of each has one thread.
        limit_s: a task that takes longer is stopped, as if its worker had died.
        worth: for fewer tasks no process is started.
    """

    def __init__(
        self, n_workers: int, place: Place, *, limit_s: float = _LIMIT_S, worth: int = _WORTH
    ) -> None:
        self.n_workers = n_workers
        self.place = place
        self._limit_s = limit_s
        self._worth = worth

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        """A card for each task as it ends; a task on which three workers died has a reason why."""
        if len(tasks) < self._worth:
            yield from LocalFleet(self.place).run(work, tasks)
            return
        pool = ProcessPool(
            min(self.n_workers, len(tasks)),
            max_tasks=_RENEWED_AFTER,
            initializer=_prepare,
            initargs=(work, replace(self.place, threads=1)),
            context=multiprocessing.get_context("spawn"),
        )
        try:
            yield from self._cards(pool, tasks)
        finally:
            pool.stop()  # type: ignore[no-untyped-call]
            pool.join()

    def _cards(self, pool: ProcessPool, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        waiting, deaths = deque(tasks), Counter[str]()
        running: dict[Future[Card], Task] = {}
        while waiting or running:
            while waiting and len(running) < _AHEAD * self.n_workers:
                task = waiting.popleft()
                running[pool.schedule(_do, (task,), timeout=self._limit_s)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                card = self._ended(future, task, deaths)
                if card:
                    yield card
                else:
                    waiting.append(task)

    def _ended(self, future: Future[Card], task: Task, deaths: Counter[str]) -> Card | None:
        """The card of a task; None if its worker died and it is to be tried again."""
        try:
            return future.result()
        except ProcessExpired as error:
            reason, detail = "corrupt", f"the worker died on it (exit status {error.exitcode})"
        except TimeoutError:
            reason, detail = "too_large", f"it took longer than the {self._limit_s:g} s allowed"
        deaths[task.id] += 1
        return Card(task.id, {}, reason, f"{detail}, {TRIES} times") if deaths[task.id] == TRIES else None


class _Process:
    """What a worker process keeps between tasks."""

    given: tuple[Work, Place]
    worker: Worker | None = None


def _prepare(work: Work, place: Place) -> None:
    """Make a new process a worker of one thread, that leaves Ctrl-C to its parent and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    os.environ.update(ONE_THREAD)
    threadpool_limits(1)
    _Process.given = work, place


def _do(task: Task) -> Card:
    if _Process.worker is None:
        work, place = _Process.given
        _Process.worker = work.start(place)
    return card_of(_Process.worker, task)
