"""Timing several things in turns, so that a busy minute affects all alike."""

import os
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)

# Programs that want to compute, for each processor, from which on they wait for one another.
_BUSY_LOAD = 1.5


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock seconds of one thing: the median, least and most of its repeats, and CPU seconds."""

    median_s: float
    least_s: float
    most_s: float
    cpu_s: float

    @property
    def spread(self) -> float:
        """Range over median."""
        return (self.most_s - self.least_s) / self.median_s if self.median_s else 0.0


def time_in_turns(
    calls: Mapping[Key, Callable[[], object]], repeats: int, parts: int = 1
) -> dict[Key, Timing]:
    """The timing of each call, after one that is not timed; all are called before one is called again.

    Args:
        calls: by name.
        repeats: of each.
        parts: equal ones that a call consists of; seconds are of one of them.
    """
    for call in calls.values():
        call()
    wall: dict[Key, list[float]] = {key: [] for key in calls}
    cpu: dict[Key, list[float]] = {key: [] for key in calls}
    for _ in range(repeats):
        for key, call in calls.items():
            cpu_s, began_s = time.process_time(), time.perf_counter()
            call()
            wall[key].append((time.perf_counter() - began_s) / parts)
            cpu[key].append((time.process_time() - cpu_s) / parts)
    return {
        key: Timing(float(np.median(rows)), min(rows), max(rows), float(np.median(cpu[key])))
        for key, rows in wall.items()
    }


def machine_is_busy() -> bool:
    """Whether more programs wanted to compute in the last minute than there are processors."""
    return os.getloadavg()[0] > _BUSY_LOAD * len(os.sched_getaffinity(0))
