"""Versions of an index on disk: a reader always sees a whole one, even if the writer is killed.

    INDEX/
      CURRENT                 number of the version that readers open; replaced by a rename
      LOCK                    held by the one writer; empty
      versions/<n>/           immutable: manifest.json and one folder a shard

A writer makes the next version under a hidden name, flushes it, renames it to its number and only then
replaces ``CURRENT``. Killed at any point it leaves the old version current; what it left behind is
swept by the next writer, which may do so because it holds the lock. Shards that did not change are hard
links to those of the version before (copies where the file system has no links), so that each version
is a whole folder and adding costs the size of what is added. The version before stays for readers
that had just read ``CURRENT``; older ones are removed, which a reader that has them mapped survives.
"""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dns_core.errors import ArtefactError, CorruptArtefactError, MissingArtefactError
from dns_core.store.atomic import atomic_file, atomic_folder

_CURRENT = "CURRENT"
_LOCK = "LOCK"
_VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Draft:
    """A version being written: its number and the folder that will be it."""

    number: int
    folder: Path


def current_version(path: Path) -> int:
    """Number of the version that readers open.

    Raises:
        MissingArtefactError: no version was ever finished here.
        CorruptArtefactError: the pointer is not a number.
    """
    try:
        text = (path / _CURRENT).read_text(encoding="ascii", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingArtefactError(f"{path} holds no index; build one first") from None
    if not text.isdecimal():
        raise CorruptArtefactError(f"{path / _CURRENT} should hold a version number, found {text[:20]!r}")
    return int(text)


def is_index(path: Path) -> bool:
    """Whether a folder holds an index; it may be damaged."""
    return (path / _CURRENT).is_file()


def version_folder(path: Path, number: int) -> Path:
    """Where a version lies; it need not be there."""
    return path / _VERSIONS / str(number)


def versions_on_disk(path: Path) -> list[int]:
    """Numbers of the versions that lie there, whole or not, in order."""
    return sorted(int(entry.name) for entry in (path / _VERSIONS).iterdir() if entry.name.isdecimal())


@contextlib.contextmanager
def next_version(path: Path) -> Iterator[Draft]:
    """A draft that becomes the current version when the block ends well, and vanishes otherwise.

    Args:
        path: the index; made if it is not there.

    Raises:
        ArtefactError: another process is writing to this index.
    """
    with _writer_lock(path):
        old = current_version(path) if (path / _CURRENT).exists() else 0
        _sweep(path, keep={old})
        number = old + 1
        with atomic_folder(version_folder(path, number)) as folder:
            yield Draft(number, folder)
        with atomic_file(path / _CURRENT) as temporary:
            temporary.write_text(f"{number}\n", encoding="ascii")
        _sweep(path, keep={old, number})


def link_folder(source: Path, target: Path) -> None:
    """Copy the files of ``source`` to ``target`` as hard links where the file system has them."""
    target.mkdir()
    for file in sorted(source.iterdir()):
        try:
            os.link(file, target / file.name)
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EXDEV, errno.EMLINK, errno.ENOTSUP, errno.EACCES}:
                raise
            shutil.copyfile(file, target / file.name)


@contextlib.contextmanager
def _writer_lock(path: Path) -> Iterator[None]:
    """Hold the index's lock; the kernel lets go of it when the process ends, however it ends."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / _LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArtefactError(f"{path} is being written by another process; try again later") from None
        yield


def _sweep(path: Path, *, keep: set[int]) -> None:
    """Remove every version but those to keep, and what a killed writer left among them."""
    versions = path / _VERSIONS
    versions.mkdir(exist_ok=True)
    names = {str(number) for number in keep}
    for entry in versions.iterdir():
        if entry.name not in names:
            shutil.rmtree(entry)


def version_of_shard(name: str) -> int:
    """The version of the index that wrote a shard; 0 if its name does not say."""
    number = name.removeprefix("shard-").partition("-")[0]
    return int(number) if number.isdecimal() else 0
