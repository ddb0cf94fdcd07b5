"""What commands print on stdout: tables for people, JSON lines for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from dns_apps.text import printable

# A pipe has no width: tables are as wide as what is in them, up to this.
_WIDTH_IN_A_PIPE = 240
# Names are folded, but not letter by letter, where a terminal is too narrow for the figures beside them.
_LEAST_WIDTH = 12


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
