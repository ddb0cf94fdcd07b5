"""Releases: a registered bundle with the index that it made, and which one is in service.

releases/<version>/models      never changed once they are there
releases/<version>/index       changed by `dns_ops.releases.refresh` alone, a whole version of it at a time
releases/champion              a link to the version in service
releases/history.jsonl
"""

import os
from dataclasses import dataclass
from pathlib import Path

from dns_core.errors import MissingArtefactError

CHAMPION = "champion"
"""Name of the link to the version in service, and of the registry's alias for it."""


@dataclass(frozen=True, slots=True)
class Release:
    """Where a version's models and index lie."""

    version: int
    folder: Path

    @property
    def models(self) -> Path:
        """The bundle."""
        return self.folder / "models"

    @property
    def index(self) -> Path:
        """The index that the bundle made."""
        return self.folder / "index"


def releases_folder(root: Path) -> Path:
    """Home of all releases of a workspace."""
    return root / "releases"


def find_release(root: Path, version: int) -> Release:
    """The release of a version.

    Raises:
        MissingArtefactError: it was never made in this workspace.
    """
    folder = releases_folder(root) / str(version)
    if not folder.is_dir():
        raise MissingArtefactError(f"{folder}: version {version} was never released here")
    return Release(version, folder)


def champion(root: Path) -> int:
    """Version in service; 0 if there is none."""
    link = releases_folder(root) / CHAMPION
    return int(link.readlink().name) if link.is_symlink() else 0


def put_in_service(root: Path, release: Release) -> None:
    """Atomically point ``champion`` at a release: readers see the old pair or the new, never a mixture."""
    link = releases_folder(root) / CHAMPION
    draft = link.with_name(f".{CHAMPION}-{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(str(release.version), target_is_directory=True)
    draft.replace(link)
