import itertools
import subprocess
import sys
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from dns_core.similarity import threads
from dns_core.similarity.threads import in_parts


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "all_threads", lambda: 2)


def _squares(numbers: Sequence[int]) -> list[int]:
    return [number**2 for number in numbers]


def test_parts_run_at_the_same_time_and_results_keep_their_order() -> None:
    meeting = threading.Barrier(2, timeout=20)

    def job(numbers: Sequence[int]) -> list[int]:
        meeting.wait()
        return _squares(numbers)

    assert in_parts(job, range(7), [1] * 7, 0) == [0, 1, 4, 9, 16, 25, 36]


@pytest.mark.parametrize("sizes", [[1, 1, 1, 1, 4], [9, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1], [0, 1]])
def test_each_item_is_in_one_part_and_parts_are_of_like_size(sizes: list[int]) -> None:
    parts: list[list[int]] = []

    def job(numbers: Sequence[int]) -> list[int]:
        parts.append(list(numbers))
        return _squares(numbers)

    assert in_parts(job, range(len(sizes)), sizes, 0) == _squares(range(len(sizes)))
    assert sorted(itertools.chain(*parts)) == list(range(len(sizes)))
    if sum(sizes):
        loads = [int(np.array(sizes)[part].sum()) for part in parts]
        assert max(loads) <= (sum(sizes) + max(sizes)) / 2


def test_little_work_and_no_work_start_no_thread() -> None:
    own = threading.current_thread()

    def job(numbers: Sequence[int]) -> list[bool]:
        return [threading.current_thread() is own for _ in numbers]

    assert in_parts(job, range(3), [1, 1, 1], 4) == [True] * 3
    assert in_parts(job, [], [], 0) == []
    assert in_parts(job, [1], [100], 0) == [True]


@pytest.mark.parametrize("at", [0, 1])
def test_an_error_of_any_part_is_raised(at: int) -> None:
    def job(numbers: Sequence[int]) -> list[float]:
        return [1 / (number - at) for number in numbers]

    with pytest.raises(ZeroDivisionError):
        in_parts(job, range(2), [1, 1], 0)


_FORKS = """
import multiprocessing
from dns_core.similarity import threads

def squares(numbers):
    return [number**2 for number in numbers]

def in_a_fork():
    raise SystemExit(sum(threads.in_parts(squares, range(3), [1] * 3, 0)))

threads.all_threads = lambda: 2
assert sum(threads.in_parts(squares, range(3), [1] * 3, 0)) == 5
process = multiprocessing.get_context("fork").Process(target=in_a_fork)
process.start()
process.join(20)
raise SystemExit(process.exitcode)
"""


def test_a_forked_process_starts_threads_of_its_own() -> None:
    # In a process of its own: threads that other tests left would be lost in the fork, and what they held.
    assert subprocess.run([sys.executable, "-c", _FORKS], check=False, timeout=60).returncode == 5
