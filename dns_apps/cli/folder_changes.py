"""When a folder has changed: told by the kernel, or looked up at intervals where it cannot tell."""

import threading
import time
from collections.abc import Generator
from pathlib import Path

import psutil
from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

SETTLED_S = 2.0
"""Seconds without another change after which files are taken to be written."""
LONGEST_S = 60.0
"""Seconds after which changes are told even if there are more all the time."""
POLLED_S = 60.0
"""Seconds between two looks at a folder of another machine."""
LOOKED_S = 900.0
"""Seconds between two looks at any folder: links lead where the kernel does not look."""

# Of these, changes by other machines are not told to this one.
_REMOTE = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse",
    "virtiofs",
}
_CHANGES = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]


def is_remote(folder: Path) -> bool:
    """Whether a folder lies on a file system whose changes the kernel may not tell."""
    at = folder.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if at.is_relative_to(m.mountpoint)]
    kind = max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else ""
    return kind.partition(".")[0] in _REMOTE


def changes(folder: Path, every_s: float | None = None) -> Generator[None, None, None]:
    """Now, and then whenever the folder may have changed and stands still again.

    Args:
        folder: watched with its subfolders.
        every_s: look so often instead of being told; None asks the kernel, or looks every `POLLED_S` seconds
            at a folder of another machine, or where the kernel refuses to watch so many folders.
    """
    if every_s is None and is_remote(folder):
        every_s = POLLED_S
    bell = _Bell()
    observer = Observer()
    if every_s is None:
        try:
            observer.schedule(bell, str(folder), recursive=True, event_filter=_CHANGES)
            observer.start()
        except OSError:  # too many folders, or none
            every_s = POLLED_S
    try:
        while True:
            yield
            bell.wait(every_s or LOOKED_S)
    finally:
        if observer.is_alive():
            observer.stop()
            observer.join()


class _Bell(FileSystemEventHandler):
    """Rings with each change."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def on_any_event(self, event: FileSystemEvent) -> None:  # noqa: ARG002
        """Ring."""
        self._rung.set()

    def wait(self, longest_s: float) -> None:
        """Wait for a change, and until there are no more for a while; or so many seconds."""
        if not self._rung.wait(longest_s):
            return
        until = time.monotonic() + LONGEST_S
        while self._rung.is_set() and time.monotonic() < until:
            self._rung.clear()
            self._rung.wait(SETTLED_S)
        self._rung.clear()
