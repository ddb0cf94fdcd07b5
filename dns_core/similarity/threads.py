"""Compiled kernels side by side: one setting says on how many threads."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numba

_T = TypeVar("_T")


def all_threads() -> int:
    """As many as the process may use: ``NUMBA_NUM_THREADS``, or else its cores."""
    n_threads: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]  # made at import
    return n_threads


def side_by_side(jobs: Sequence[Callable[[], _T]]) -> list[_T]:
    """What each of the jobs returns, in order; they run at the same time, one of them in this thread.

    Threads are kept for the next call: starting them takes as long as comparing a pair.

    Args:
        jobs: at least one; they must run without the interpreter's lock, or they wait for one another.
    """
    *others, own = jobs
    waiting = [_pool().submit(job) for job in others]
    last = own()
    return [*(future.result() for future in waiting), last]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="kernel")


# A forked process has the pool, but not its threads.
os.register_at_fork(after_in_child=_pool.cache_clear)
