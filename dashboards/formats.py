"""Figures and names as text."""

import re
from datetime import UTC, datetime

from dns_apps.text import clock, printable, size

__all__ = [
    "ago", "clock", "count", "counted", "message", "moment", "plain", "printable", "share", "short_name",
    "size",
]  # fmt: skip

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_CODE = re.compile(r"`([^`]+)`")
_STEPS = ((60, "s"), (60, "min"), (24, "h"), (365, "d"))


def plain(text: str) -> str:
    r"""Markdown that shows ``text`` as it is, on one line: names of files are untrusted.

    Example:
        >>> plain("<b>*a*</b>")
        '\\<b\\>\\*a\\*\\<\\/b\\>'
    """
    return _PUNCTUATION.sub(r"\\\1", printable(text))


def message(text: str) -> str:
    r"""Markdown that shows a message as it is, and as code what stands between backticks in it.

    Example:
        >>> message("no server at <host>; `dns up` starts one")
        'no server at \\<host\\>\\; `dns up` starts one'
    """
    parts = _CODE.split(text)  # text and code take turns; Markdown obeys nothing inside code
    return "".join(f"`{printable(part)}`" if n % 2 else plain(part) for n, part in enumerate(parts))


def short_name(name: str, longest: int = 40) -> str:
    """``name`` with its middle left out where it is longer than ``longest`` characters.

    Example:
        >>> short_name("a/very/long/folder/clip.mp4", 15)
        'a/very/…lip.mp4'
    """
    if len(name) <= longest:
        return name
    tail = longest // 2
    return f"{name[: longest - tail - 1]}…{name[len(name) - tail :]}"


def count(number: float) -> str:
    """A whole number with its thousands apart.

    Example:
        >>> count(1234567)
        '1\u202f234\u202f567'
    """
    return f"{number:,.0f}".replace(",", "\u202f")


def counted(number: int, one: str, many: str = "") -> str:
    """A number of things.

    Example:
        >>> counted(1, "video"), counted(2, "match", "matches")
        ('1 video', '2 matches')
    """
    return f"{count(number)} {one if number == 1 else many or f'{one}s'}"


def share(part: float, digits: int = 0) -> str:
    """A share in [0, 1] in per cent.

    Example:
        >>> share(0.305), share(0.9996, 1)
        ('30%', '100.0%')
    """
    return f"{part:.{digits}%}"


def moment(when: datetime) -> str:
    """A moment to the minute, in UTC; one without zone is UTC.

    Example:
        >>> moment(datetime(2026, 1, 2, 3, 4))
        '2026-01-02 03:04 UTC'
    """
    return f"{when.astimezone(UTC) if when.tzinfo else when:%Y-%m-%d %H:%M} UTC"


def ago(when: datetime, now: datetime | None = None) -> str:
    """How long ago ``when`` was, in the unit that keeps the figure short; a moment without zone is UTC.

    Example:
        >>> ago(datetime(2026, 1, 1, 10), datetime(2026, 1, 1, 13, tzinfo=UTC))
        '3 h ago'
    """
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    passed = ((now or datetime.now(UTC)) - when).total_seconds()
    if passed < 1:
        return "now"
    for step, unit in _STEPS[:-1]:
        if passed < step:
            return f"{passed:.0f} {unit} ago"
        passed /= step
    return f"{passed:.0f} d ago"
