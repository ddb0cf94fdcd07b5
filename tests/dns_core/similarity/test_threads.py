import multiprocessing
import threading

import pytest

from dns_core.similarity.threads import side_by_side


def test_results_come_in_the_order_of_the_jobs_that_ran_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=20)
    assert side_by_side([lambda: (meeting.wait(), "a")[1], lambda: (meeting.wait(), "b")[1]]) == ["a", "b"]
    assert side_by_side([lambda: 1]) == [1]


@pytest.mark.parametrize("at", [0, 1])
def test_an_error_of_any_job_is_raised(at: int) -> None:
    jobs = [lambda: 0.0, lambda: 0.0]
    jobs[at] = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        side_by_side(jobs)


def _in_a_fork() -> None:
    raise SystemExit(sum(side_by_side([lambda: 3, lambda: 4])))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_threads_of_its_own() -> None:
    assert sum(side_by_side([lambda: 3, lambda: 4])) == 7
    process = multiprocessing.get_context("fork").Process(target=_in_a_fork)
    process.start()
    process.join(20)
    assert process.exitcode == 7
