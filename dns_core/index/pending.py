"""Records that wait to enter an index, so that an interrupted build can resume.

    INDEX/pending/FINGERPRINT-0/SHA256.npz    the record of a file, by the digest of the file's content
    INDEX/pending/FINGERPRINT-0/LOCK          held by the process that makes the records

A file that lies in an archive under two names is found here the second time, too. A second process that
changes the same index meanwhile has a folder of its own, ``-1``; a later one that finds it left takes its
records.
"""

import fcntl
import itertools
import json
import os
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import ArtefactError, CorruptArtefactError
from dns_core.index.build import Origin
from dns_core.index.encoded import EncodedVideo
from dns_core.index.npy_stream import AnyArray
from dns_core.records import VideoProbe
from dns_core.store.atomic import atomic_file
from dns_core.store.fingerprints import fingerprint_json

_FOLDER = "pending"
_LOCK = "LOCK"
_ARRAYS = ("times_s", "spans", "coarse")


class Records:
    """Finished records in a folder, by the digest of the content of their file.

    Args:
        folder: of records that were made by the same models and settings; it need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, sha256: str) -> bool:
        """Whether the file of this content has a record."""
        return self._path(sha256).is_file()

    def write(self, sha256: str, record: EncodedVideo) -> None:
        """Keep the record of the file of this content, whole or not at all."""
        arrays: dict[str, AnyArray] = {name: getattr(record, name) for name in _ARRAYS}
        arrays |= _named("numbers", record.numbers) | _named("frames", record.frames)
        head = {
            "video_id": record.video_id,
            "content": record.content,
            "probe": record.probe and asdict(record.probe),
        }
        arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
        with atomic_file(self._path(sha256)) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    def read(self, sha256: str) -> EncodedVideo:
        """The record of the file of this content.

        Raises:
            ArtefactError: it is gone: a process that changed the index meanwhile removed it.
            CorruptArtefactError: it is not as it was written.
        """
        path = self._path(sha256)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return _record({name: arrays[name] for name in arrays.files})
        except FileNotFoundError:
            raise ArtefactError(f"{path} is gone: another process changed the index; try again") from None
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise CorruptArtefactError(f"{path} is damaged; remove it and try again: {error!r}") from error

    def _path(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.npz"


class Pending:
    """Records that are in no version of an index yet; a context manager that holds their folder.

    Args:
        index: the folder of the index; it need not be there.
        origin: what makes the records; those of another origin are never found.
    """

    def __init__(self, index: Path, origin: Origin) -> None:
        made_by = {"models": dict(origin.models), "params": dict(origin.params)}
        self._root = index / _FOLDER
        self._name = fingerprint_json(made_by)

    def __enter__(self) -> Records:
        """A folder that no living process uses, with the records that others left."""
        for number in itertools.count():
            folder = self._root / f"{self._name}-{number}"
            if self._lock(folder):
                break
        self._folder = folder
        for other in self._root.glob(f"{self._name}-*"):
            if other != folder and (lock := _locked(other)):
                with lock:
                    for record in other.glob("*.npz"):
                        record.replace(folder / record.name)
                    shutil.rmtree(other)
        return Records(folder)

    def __exit__(self, *_: object) -> None:
        for leftover in self._folder.glob(".partial-*"):  # of workers that were stopped
            leftover.unlink(missing_ok=True)
        if not any(self._folder.glob("*.npz")):
            self.clear()
        self._held.close()

    def clear(self) -> None:
        """Remove the records that this process holds; they are in the index."""
        shutil.rmtree(self._folder, ignore_errors=True)
        with suppress(OSError):  # others have something in there
            self._root.rmdir()
            self._root.parent.rmdir()

    def _lock(self, folder: Path) -> bool:
        folder.mkdir(parents=True, exist_ok=True)
        held = _locked(folder)
        if held:
            self._held = held
        return held is not None


def _locked(folder: Path) -> TextIOWrapper | None:
    """The open lock of a folder; None if another process holds it, or has removed the folder."""
    try:
        file = (folder / _LOCK).open("a")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (folder / _LOCK).stat().st_ino == os.fstat(file.fileno()).st_ino:
            return file
    except (BlockingIOError, FileNotFoundError):
        pass
    file.close()
    return None


def _named(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _of(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _record(arrays: dict[str, Any]) -> EncodedVideo:
    head = json.loads(arrays["head"].tobytes())
    return EncodedVideo(
        video_id=head["video_id"],
        content=head["content"],
        numbers=_of("numbers", arrays),
        frames=_of("frames", arrays),
        probe=head["probe"] and VideoProbe(**head["probe"]),
        **{name: arrays[name] for name in _ARRAYS},
    )
