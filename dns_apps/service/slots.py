"""How much may be asked at once."""

import threading

from dns_apps.service.refusals import busy


class Slots:
    """A limited number of places.

    Args:
        n: of them.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._free = threading.BoundedSemaphore(n)

    def take(self) -> "Slot":
        """A place.

        Raises:
            RefusalError: all are taken (429).
        """
        if not self._free.acquire(blocking=False):
            raise busy(f"{self._n} requests of this kind are at work or waiting; try again")
        return Slot(self._free)

    def spare(self) -> "Slot":
        """A place if one is free, else none that counts: for what was taken in before."""
        return Slot(self._free if self._free.acquire(blocking=False) else None)


class Slot:
    """One place; giving it back twice is giving it back once."""

    def __init__(self, free: threading.BoundedSemaphore | None) -> None:
        self._free = free

    def release(self) -> None:
        """Free the place for others."""
        free, self._free = self._free, None
        if free is not None:
            free.release()

    def __enter__(self) -> None:
        """Hold the place for a block."""

    def __exit__(self, *_: object) -> None:
        self.release()
