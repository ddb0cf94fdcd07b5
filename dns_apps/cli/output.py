"""What commands print on stdout: tables for people, JSON lines for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

# A pipe has no width: tables are as wide as what is in them, up to this.
_WIDTH_IN_A_PIPE = 240
# Names are folded, but not letter by letter, where a terminal is too narrow for the figures beside them.
_LEAST_WIDTH = 12


def printable(text: str) -> str:
    """``text`` on one line, with nothing in it that a terminal would obey.

    File names may hold line breaks, escape sequences and bytes that are not text; a name must not be
    able to clear the screen of who lists it.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def print_json(value: Any) -> None:
    """One line of JSON in ASCII, whole numbers and finite figures only."""
    print_line(json.dumps(value, allow_nan=False))


def print_line(text: str) -> None:
    """One line on stdout, seen at once by a program that reads along."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; columns of figures are aligned right.

    Args:
        title: shown above; may be empty.
        columns: headings; one that begins with ``>`` is aligned right.
        rows: cells as text, shown as they are.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(printable(title)) if title else None, title_justify="left")
    shown = [[printable(cell) for cell in row] for row in rows]
    for place, column in enumerate(columns):
        right = column.startswith(">")
        longest = max((len(row[place]) for row in shown), default=0)
        table.add_column(
            column.removeprefix(">"),
            justify="right" if right else "left",
            no_wrap=right,
            overflow="fold",
            min_width=min(longest, _LEAST_WIDTH),
        )
    for row in shown:
        table.add_row(*map(Text, row))
    width = None if sys.stdout.isatty() else _WIDTH_IN_A_PIPE
    Console(width=width).print(table)


def clock(seconds: float) -> str:
    """Seconds as ``m:ss.s``, or ``h:mm:ss.s`` from an hour on.

    Example:
        >>> clock(75.26), clock(3661)
        ('1:15.3', '1:01:01.0')
    """
    tenths = round(seconds * 10)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def size(n_bytes: float) -> str:
    """Bytes in the unit that keeps the figure short.

    Example:
        >>> size(576), size(18 * 1024), size(5e9)
        ('576 B', '18.0 KiB', '4.7 GiB')
    """
    value = float(n_bytes)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
