"""Videos that others put under a prefix of the bucket: which of them are new, and bringing those here."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from boto3.exceptions import Boto3Error

from dns_core.ports import Progress
from dns_core.store.atomic import atomic_file, read_json, write_json
from dns_core.store.fingerprints import fingerprint_json
from dns_ops.settings import make_platform_folder
from dns_ops.storage.blobs import stays_inside
from dns_ops.storage.bucket import Bucket, StorageError


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object that was not taken in yet, or has changed since.

    Attributes:
        key: of the object.
        name: its path below the prefix.
        tag: the server's digest of its content.
    """

    key: str
    name: str
    tag: str


class Inbox:
    """What lies under a prefix, beside what this workspace has taken in from there.

    An object counts as ingested only after `settle`; interrupted work is repeated.

    Args:
        root: the workspace.
        bucket: where the objects are.
        prefix: of their keys, for example ``inbox/``.
    """

    def __init__(self, root: Path, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix
        place = make_platform_folder(root) / "inbox" / fingerprint_json([bucket.name, prefix])
        self._taken = place / "taken.json"
        self._folder = place / "videos"

    def arrivals(self) -> list[Arrival]:
        """Objects that are new, in the order of their keys; names that lead elsewhere are left alone.

        Raises:
            StorageError: the bucket cannot be read.
        """
        taken = self._read_taken()
        with self._bucket.asked():
            pages = self._bucket.client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket.name, Prefix=self._prefix
            )
            rows = [row for page in pages for row in page.get("Contents", [])]
        found = [Arrival(row["Key"], row["Key"].removeprefix(self._prefix), row["ETag"]) for row in rows]
        return [row for row in found if _is_file(row.name) and taken.get(row.key) != row.tag]

    def fetch(self, arrivals: Sequence[Arrival], progress: Progress) -> Path:
        """Download these objects into a folder that holds no others, each by its name.

        Raises:
            StorageError: an object cannot be read, or is gone.
        """
        shutil.rmtree(self._folder, ignore_errors=True)
        for row in progress.track(arrivals, "fetching new objects"):
            self._download(row, self._folder / row.name)
        return self._folder

    def settle(self, arrivals: Sequence[Arrival]) -> None:
        """Mark the objects as ingested and remove their local copies."""
        write_json(self._taken, {**self._read_taken(), **{row.key: row.tag for row in arrivals}})
        shutil.rmtree(self._folder, ignore_errors=True)

    def _download(self, row: Arrival, path: Path) -> None:
        try:
            with self._bucket.asked(), atomic_file(path) as temporary:
                self._bucket.client.download_file(self._bucket.name, row.key, str(temporary))
        except Boto3Error as error:
            raise StorageError(f"bucket {self._bucket.name}: {row.key}: {error}") from error

    def _read_taken(self) -> Mapping[str, str]:
        return read_json(self._taken) if self._taken.is_file() else {}


def _is_file(name: str) -> bool:
    """Keys that end with a slash are how some programs draw folders."""
    return bool(name) and not name.endswith("/") and stays_inside(name)
