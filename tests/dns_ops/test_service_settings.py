import os

import pytest

from dns_ops.service_settings import ServiceSettings


@pytest.mark.parametrize(
    ("cores", "threads", "workers"),
    [(1, 1, 1), (2, 1, 2), (4, 2, 2), (8, 4, 2), (16, 4, 4), (64, 4, 16)],
)
def test_queries_and_their_threads_fill_the_cores(
    cores: int, threads: int, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    settings = ServiceSettings()
    assert (settings.n_threads, settings.n_workers) == (threads, workers)


def test_more_threads_than_cores_leave_one_query_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert ServiceSettings(threads=8).n_workers == 1
    assert ServiceSettings(threads=8, workers=3).n_workers == 3
