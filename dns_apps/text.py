"""How figures, names and segments read, the same in commands and on pages."""

from collections.abc import Iterable
from typing import Protocol

HOUR_S = 3600.0

METHOD_NAMES = {
    "teacher": "teacher",
    "fine_attention": "fine attention",
    "fine_binary": "fine binary",
    "coarse": "coarse",
    "dns_fine_attention": "DnS attention",
    "dns_fine_binary": "DnS binary",
}
"""Names of the ways to search that a report has rows for."""


class TimeSpans(Protocol):
    """A matched segment: of the core, or of a reply of the query service."""

    @property
    def query_start_s(self) -> float:
        """Start in the query."""

    @property
    def query_end_s(self) -> float:
        """End in the query."""

    @property
    def target_start_s(self) -> float:
        """Start in the target."""

    @property
    def target_end_s(self) -> float:
        """End in the target."""


def printable(text: str) -> str:
    """``text`` on one line, with nothing in it that a terminal would obey.

    File names may hold line breaks, escape sequences and bytes that are not text; a name must not be
    able to clear the screen.
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


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


def duration(seconds: float) -> str:
    """Seconds in the unit in which they are read most easily."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    for unit, length in (("s", 1.0), ("min", 60.0), ("h", HOUR_S)):
        if seconds < 100 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds / 24 / HOUR_S:,.0f} days"


def segment_texts(segments: Iterable[TimeSpans]) -> list[str]:
    """Each segment as ``query segment = target segment``, in minutes and seconds."""
    return [
        f"{clock(s.query_start_s)}-{clock(s.query_end_s)} = {clock(s.target_start_s)}-{clock(s.target_end_s)}"
        for s in segments
    ]
