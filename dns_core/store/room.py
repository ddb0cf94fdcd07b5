"""Whether there was no room for what was to be written: a full disk is for the user to repair, no defect."""

import errno
import sqlite3

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_PRIMARY = 0xFF  # what is above it says more exactly where SQLite met the error


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, says that a disk is full or cannot be written."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _ERRNOS:
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _SQLITE:
            return True
        error = error.__cause__ or error.__context__
    return False
