"""`dns_core.ports.Progress` on stderr: bars in a terminal, plain lines anywhere else."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from dns_apps.text import printable
from dns_core.ports import Progress

T = TypeVar("T")

_SILENCE_S = 10.0


def command_progress() -> Progress:
    """Bars if stderr is a terminal, lines if it is a file or a pipe; stdout is left to results."""
    return BarProgress(Console(stderr=True)) if sys.stderr.isatty() else LineProgress(sys.stderr)


class BarProgress:
    """One bar a loop, under one another while loops are nested.

    Args:
        console: where the bars are drawn.
    """

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._n_open = 0

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Yield ``items`` unchanged; the bar stays, at its last state, when the loop ends."""
        task = self._bars.add_task(printable(description), total=_length(items, total))
        # Only one live display may write to a terminal, so that nested loops share one.
        if self._n_open == 0:
            self._bars.start()
        self._n_open += 1
        try:
            for item in items:
                yield item
                self._bars.advance(task)
        finally:
            self._n_open -= 1
            self._bars.stop_task(task)
            if self._n_open == 0:
                self._bars.stop()
                for finished in self._bars.task_ids:
                    self._bars.remove_task(finished)

    def say(self, message: str) -> None:
        """Print one line above the bars."""
        self._bars.console.print(printable(message), markup=False, highlight=False)


class LineProgress:
    """One line when a loop begins to take long, one every ten seconds, one when it ends.

    Args:
        stream: where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def track(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """Yield ``items`` unchanged while writing lines."""
        start_s = spoken_s = time.monotonic()
        length, n_done = _length(items, total), 0
        for item in items:
            yield item
            n_done += 1
            now_s = time.monotonic()
            if now_s - spoken_s >= _SILENCE_S:
                spoken_s = now_s
                self.say(f"{description}: {n_done}" + (f" of {length}" if length is not None else ""))
        self.say(f"{description}: {n_done} in {time.monotonic() - start_s:.1f} s")

    def say(self, message: str) -> None:
        """Write one line."""
        self._stream.write(printable(message) + "\n")
        self._stream.flush()


def _length(items: Iterable[object], total: int | None) -> int | None:
    if total is not None:
        return total
    return len(items) if isinstance(items, Sized) else None
