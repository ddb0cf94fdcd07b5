"""The manifest of an index: what it holds, what made it, and the digest of every file."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dns_core.errors import CorruptArtefactError, MismatchError
from dns_core.records import Quarantined
from dns_core.store.atomic import read_json, write_json
from dns_core.store.fingerprints import fingerprint_json
from dns_core.store.index_parts import storage_parts

MANIFEST = "manifest.json"
FORMAT = 2
# A name below a folder that leads nowhere else.
_Name = Annotated[str, Field(pattern=r"^\w[\w.-]*$")]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileEntry(_Entry):
    """Size and full SHA-256 of one file."""

    n_bytes: int = Field(ge=0)
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "FileEntry":
        """The entry of the file at ``path`` as it is now."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(n_bytes=path.stat().st_size, sha256=digest)

    def verify(self, path: Path) -> None:
        """Check that the file at ``path`` is bit for bit what was written.

        Raises:
            CorruptArtefactError: it is not, or not there.
        """
        try:
            found = FileEntry.of(path)
        except FileNotFoundError:
            raise CorruptArtefactError(f"{path} is missing; build the index again") from None
        if found != self:
            raise CorruptArtefactError(
                f"{path} was altered: expected SHA-256 {self.sha256}, found {found.sha256}"
            )


class ShardEntry(_Entry):
    """One immutable folder of arrays, and which of its videos have been removed since.

    Attributes:
        name: the folder's name, unique in the index's history.
        n_videos: videos written, the removed ones too.
        n_chunks: chunks written.
        n_frames: frames written.
        files: by name.
        removed: rows of the videos that a reader must not see, increasing.
    """

    name: _Name
    n_videos: int = Field(ge=1)
    n_chunks: int = Field(ge=1)
    n_frames: int = Field(ge=1)
    files: Mapping[_Name, FileEntry]
    removed: tuple[int, ...] = ()

    def verify(self, folder: Path) -> None:
        """Check that every file in ``folder`` is bit for bit what was written.

        Raises:
            CorruptArtefactError: one is not; the error names it.
        """
        for name, file in self.files.items():
            file.verify(folder / name)


class Manifest(_Entry):
    """What one version of an index holds and what made it.

    Attributes:
        format: of the files; a reader refuses any other.
        version: 1 for the first, then one more at each change.
        data: fingerprint of the ids and contents of the live videos, in any order.
        models: fingerprint by role, for example ``backbone``, ``whitening``, ``coarse``.
        params: what else decided the content.
        shards: oldest first.
        quarantine: videos of the corpus that are not in the index, and why.
    """

    format: int = FORMAT
    version: int = Field(ge=1)
    data: str
    models: Mapping[str, str]
    params: Mapping[str, Any]
    shards: tuple[ShardEntry, ...] = ()
    quarantine: tuple[Quarantined, ...] = ()

    @property
    def parts(self) -> dict[str, int]:
        """Bytes on disk by what they are for (`dns_core.store.index_parts`); all files count."""
        return storage_parts(
            (name, file.n_bytes) for entry in self.shards for name, file in entry.files.items()
        )

    def check_models(self, expected: Mapping[str, str]) -> None:
        """Check, role by role, that the expected models made the index.

        Raises:
            MismatchError: a role has another fingerprint here, or none.
        """
        for role, fingerprint in sorted(expected.items()):
            found = self.models.get(role, "none")
            if found != fingerprint:
                raise MismatchError(role, fingerprint, found)


def data_fingerprint(contents: Iterable[tuple[str, str]]) -> str:
    """Fingerprint of (id, content) pairs; order does not matter."""
    return fingerprint_json(sorted(contents))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into ``folder``, with its own fingerprint."""
    content = manifest.model_dump(mode="json")
    write_json(folder / MANIFEST, {"manifest": content, "fingerprint": fingerprint_json(content)})


def read_manifest(folder: Path) -> Manifest:
    """The manifest in ``folder``.

    Raises:
        MissingArtefactError: there is none.
        CorruptArtefactError: it was altered after it was written, or is of another format.
    """
    path = folder / MANIFEST
    signed = read_json(path)
    try:
        if fingerprint_json(signed["manifest"]) != signed["fingerprint"]:
            raise CorruptArtefactError(f"{path} was altered: its fingerprint does not agree")
        found = signed["manifest"]["format"]
        if found != FORMAT:
            raise CorruptArtefactError(
                f"{path} is of format {found}, expected {FORMAT}: build the index again"
            )
        return Manifest.model_validate(signed["manifest"])
    except (KeyError, TypeError, ValidationError) as error:
        raise CorruptArtefactError(f"{path} is not the manifest of an index: {error}") from error
