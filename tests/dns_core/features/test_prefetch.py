import threading
import time
from collections.abc import Iterator

import pytest

from dns_core.features.prefetch import prefetched


def _workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]


class _Source:
    """Counts what was taken and notes in which thread it was closed."""

    def __init__(self, n: int, error: BaseException | None = None) -> None:
        self.n, self.error, self.taken, self.closed_in = n, error, 0, ""

    def items(self) -> Iterator[int]:
        try:
            for k in range(self.n):
                self.taken += 1
                yield k
            if self.error is not None:
                raise self.error
        finally:
            self.closed_in = threading.current_thread().name


def test_items_come_in_order_from_another_thread() -> None:
    source = _Source(100)
    with prefetched(source.items(), 3) as items:
        assert list(items) == list(range(100))
    assert source.closed_in == "prefetch"
    assert not _workers()


def test_it_works_ahead_but_not_without_bound() -> None:
    source = _Source(100)
    with prefetched(source.items(), 3) as items:
        next(items)
        deadline = time.monotonic() + 5
        while source.taken < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert source.taken == 5  # one read, three waiting, one in hand


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt()])
def test_an_exception_comes_after_the_items_before_it(error: BaseException) -> None:
    read: list[int] = []
    with pytest.raises(type(error)) as caught, prefetched(_Source(5, error).items(), 2) as items:
        read.extend(items)
    assert caught.value is error
    assert not _workers()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_reader_that_fails_stops_the_thread_and_closes_the_source(error: type[BaseException]) -> None:
    source = _Source(10**9)
    with pytest.raises(error), prefetched(source.items(), 2) as items:
        raise error(next(items))
    assert source.closed_in == "prefetch"
    assert not _workers()


def test_a_reader_that_has_enough_stops_the_thread() -> None:
    source = _Source(10**9)
    with prefetched(source.items(), 1) as items:
        assert next(items) == 0
    assert not _workers()


def test_a_plain_iterator_will_do() -> None:
    with prefetched(iter([1, 2]), 1) as items:
        assert list(items) == [1, 2]
