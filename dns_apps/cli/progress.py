"""`dns_core.ports.Progress` on stderr: bars in a terminal, plain lines anywhere else."""

import sys
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from dns_apps.text import printable
from dns_core.ports import Progress
from dns_ops.line_progress import LineProgress, length_of

T = TypeVar("T")


def command_progress() -> Progress:
    """Bars if stderr is a terminal, lines if it is a file or a pipe; stdout is left to results."""
    return BarProgress(Console(stderr=True)) if sys.stderr.isatty() else line_progress(sys.stderr)


def line_progress(stream: TextIO) -> LineProgress:
    """Progress as lines of a stream, each flushed at once."""

    def write(message: str) -> None:
        stream.write(printable(message) + "\n")
        stream.flush()

    return LineProgress(write)


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
        task = self._bars.add_task(printable(description), total=length_of(items, total))
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
