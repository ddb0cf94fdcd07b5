"""Whether there was no room for what was to be written: a full disk is for the user to repair, no defect."""

import errno
import os
import shutil
import sqlite3

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_PRIMARY = 0xFF  # what is above it says more exactly where SQLite met the error


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, says that a disk is full or cannot be written."""
    return bool(full_disk(error))


def full_disk(error: BaseException | None) -> str:
    """Which file found no room, and why, as far as an error or one that it comes from says so; else empty."""
    while error is not None:
        said = _said(error)
        if said:
            return said
        error = error.__cause__ or error.__context__
    return ""


def _said(error: BaseException) -> str:
    if isinstance(error, shutil.Error):  # of a whole folder: it keeps words, and no numbers
        return next((f"{target}: {why}" for target, why in map(_of_copy, error.args[0]) if why), "")
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return f"{error.filename or 'a file'}: {error.strerror}"
    if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _SQLITE:
        return f"a database: {error}"
    return ""


def _of_copy(copy: tuple[str, str, str]) -> tuple[str, str]:
    """Where to, and which of our reasons stands in the words; empty if none does."""
    _, target, words = copy
    return target, next((os.strerror(number) for number in _ERRNOS if os.strerror(number) in words), "")
