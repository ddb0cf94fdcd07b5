"""Whether a task is to blame for the deaths of its workers, where machines may die as well."""

from collections import defaultdict
from collections.abc import Collection
from typing import Literal

from dns_core.fleet import TRIES

Verdict = Literal["again", "wait", "given up"]

SETTLED_S = 30.0
"""A cluster notices by then that a machine is dead."""
_MOST = 2 * TRIES


class Verdicts:
    """Counts deaths by task; those on a machine that died itself never count."""

    def __init__(self) -> None:
        self._deaths: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)

    def note(self, task_id: str, node: str, now_s: float) -> None:
        """Note that the worker died, or was stopped, while it did this task alone."""
        self._deaths[task_id].append((node, now_s))

    def of(self, task_id: str, alive: Collection[str], now_s: float) -> Verdict:
        """What is to be done with a task.

        It is given up after three deaths on machines that live, two different ones if there are two. A dead
        machine looks alive for some seconds, so the last death must be older than `SETTLED_S`.

        Args:
            task_id: the task.
            alive: machines that live now.
            now_s: on the clock of `note`.
        """
        counted = [(node, died_s) for node, died_s in self._deaths[task_id] if node in alive]
        if len(counted) < TRIES:
            return "again"
        if now_s - counted[-1][1] < SETTLED_S:
            return "wait"
        enough = len({node for node, _ in counted}) >= min(2, len(alive)) or len(counted) >= _MOST
        return "given up" if enough else "again"
