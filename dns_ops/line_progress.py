"""Progress as lines of text: for logs, where bars cannot be drawn."""

import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")

_SILENCE_S = 10.0


class LineProgress:
    """One line when a loop has taken ten seconds, one every ten seconds, one when it ends.

    Args:
        write: takes one line of text.
    """

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Yield ``items`` unchanged while writing lines."""
        start_s = last_s = time.monotonic()
        length, n_done = length_of(items, total), 0
        for item in items:
            yield item
            n_done += 1
            now_s = time.monotonic()
            if now_s - last_s >= _SILENCE_S:
                last_s = now_s
                self.say(f"{description}: {n_done}" + (f" of {length}" if length is not None else ""))
        self.say(f"{description}: {n_done} in {time.monotonic() - start_s:.1f} s")

    def say(self, message: str) -> None:
        """Write one line."""
        self._write(message)


def length_of(items: Iterable[object], total: int | None) -> int | None:
    """``total`` if it is given, else how many ``items`` there are, if that is known."""
    if total is not None:
        return total
    return len(items) if isinstance(items, Sized) else None
