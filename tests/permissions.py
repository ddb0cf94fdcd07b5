"""Who may read what a program wrote."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

USUAL, OPEN = 0o022, 0o000
"""Umasks; with the last, a file that is not made private on purpose is everybody's to change."""


@contextmanager
def with_umask(umask: int) -> Iterator[None]:
    """This process, and what it starts, make files with a umask until the block ends."""
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(root: Path) -> list[str]:
    """What of a folder, itself included, others than its user may read, change or enter."""
    found = []
    for path in (root, *sorted(root.rglob("*"))):
        with suppress(FileNotFoundError):  # of a program that runs
            mode = path.lstat().st_mode
            if mode & 0o077 and not stat.S_ISLNK(mode):
                found.append(f"{stat.filemode(mode)} {path.relative_to(root)}")
    return found
