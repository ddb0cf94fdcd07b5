"""Compiled kernels side by side: one setting says on how many threads."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numba
import numpy as np

_T = TypeVar("_T")
_R = TypeVar("_R")


def all_threads() -> int:
    """As many as the process may use: ``NUMBA_NUM_THREADS``, or else its cores."""
    n_threads: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # made at import
    return n_threads


def in_parts(
    job: Callable[[Sequence[_T]], Iterable[_R]], items: Sequence[_T], sizes: Sequence[int], least: int
) -> list[_R]:
    """What ``job`` returns for each of ``items``, in order: a part of them on each thread, at the same time.

    Threads are kept for the next call: starting them takes as long as comparing a pair.

    Args:
        job: returns as many as it is given; it must run without the interpreter's lock, or parts wait for
            one another.
        items: what there is to do.
        sizes: of each item; parts are of about the same size.
        least: under so much in all, a second thread costs more than it gives.
    """
    ends = np.cumsum(sizes)
    n_parts = min(all_threads(), len(items))
    if n_parts < 2 or ends[-1] < least:
        return list(job(items))
    goals = np.linspace(0, ends[-1], n_parts + 1)[1:-1]
    # An item belongs where its middle lies.
    cuts = np.unique([0, *np.searchsorted(ends - np.asarray(sizes) / 2, goals), len(items)])
    *others, own = [items[start:stop] for start, stop in itertools.pairwise(cuts.tolist())]
    waiting = [_pool().submit(job, part) for part in others]
    last = job(own)
    return [*itertools.chain.from_iterable(future.result() for future in waiting), *last]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="kernel")


# A forked process has the pool, but not its threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
