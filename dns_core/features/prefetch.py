"""One background thread that works ahead of its reader."""

import contextlib
import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.1


@contextlib.contextmanager
def prefetched(items: Iterator[T], ahead: int) -> Iterator[Iterator[T]]:
    """The same items in the same order, made by a background thread up to ``ahead`` of the reader.

    An exception of ``items`` is raised where the reader would have met it. Leaving the block, for
    any reason, stops the thread after the item that it is at, closes ``items`` in that thread if it
    is a generator, and waits for both: no file stays open behind the reader's back.

    Args:
        items: read in the background thread alone.
        ahead: items that wait for the reader at most, at least 1.
    """
    worker: _Worker[T] = _Worker(items, ahead)
    worker.start()
    try:
        yield worker.results()
    finally:
        worker.stop()


class _End:
    """Follows the last item; carries what stopped it, if that was an exception."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Worker(threading.Thread, Generic[T]):
    def __init__(self, items: Iterator[T], ahead: int) -> None:
        super().__init__(name="prefetch", daemon=True)
        self._items = items
        self._results: queue.Queue[T | _End] = queue.Queue(ahead)
        self._stopped = threading.Event()

    def run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._offer(item):
                    break
        except BaseException as caught:  # noqa: BLE001  (it is raised again in the reader's thread)
            error = caught
        finally:
            if hasattr(self._items, "close"):
                self._items.close()
        self._offer(_End(error))

    def results(self) -> Iterator[T]:
        while True:
            result = self._results.get()
            if isinstance(result, _End):
                if result.error is not None:
                    raise result.error
                return
            yield result

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def _offer(self, result: T | _End) -> bool:
        """Wait for room; False if the reader has gone."""
        while not self._stopped.is_set():
            try:
                self._results.put(result, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False
