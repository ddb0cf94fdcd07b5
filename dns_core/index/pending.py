"""Records that wait to enter an index, so that an interrupted build can resume.

    INDEX/pending/FINGERPRINT/SHA256.npz    the record of a file, by the digest of the file's content

A file that lies in an archive under two names is found here the second time, too.
"""

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
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
_ARRAYS = ("times_s", "spans", "coarse")


class Pending:
    """Finished records that are in no version of an index yet.

    Args:
        index: the folder of the index; it need not be there.
        origin: what makes the records; those of another origin are never found.
    """

    def __init__(self, index: Path, origin: Origin) -> None:
        made_by = {"models": dict(origin.models), "params": dict(origin.params)}
        self._root = index / _FOLDER
        self._folder = self._root / fingerprint_json(made_by)

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

    def clear(self) -> None:
        """Forget all records; they are in the index."""
        shutil.rmtree(self._root, ignore_errors=True)

    def _path(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.npz"


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
