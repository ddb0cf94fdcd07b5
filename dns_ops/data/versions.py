"""Versions of the videos as their manifests tell them: which files each collection held.

A version is a manifest in ``data/versions/`` (git keeps it) over three folders that DVC keeps. Its name is
the fingerprint of those folders' contents, so the same videos are the same version on every machine.
`dns_ops.data.versioning` makes versions and brings them back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dns_core.errors import InputError
from dns_core.store.atomic import read_json, write_json

_CURRENT = "current.json"


@dataclass(frozen=True, slots=True)
class DataVersion:
    """What the collections held.

    Attributes:
        name: fingerprint of the contents.
        parent: the version that was current before; empty for the first.
        created: UTC, ISO 8601.
        folders: by collection, what DVC calls the folder: ``md5``, ``size`` and ``nfiles``.
        files: by collection and video id: ``md5`` and ``duration_s``, which is None for what is no video.
    """

    name: str
    parent: str
    created: str
    folders: Mapping[str, Mapping[str, Any]]
    files: Mapping[str, Mapping[str, Mapping[str, Any]]]

    @property
    def n_videos(self) -> int:
        """Files in all collections."""
        return sum(len(files) for files in self.files.values())

    @property
    def duration_s(self) -> float:
        """Seconds of all videos together."""
        return sum(file["duration_s"] or 0.0 for files in self.files.values() for file in files.values())


@dataclass(frozen=True, slots=True)
class DataDiff:
    """How a version differs from another: ids as ``collection/video id``."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def data_versions(root: Path) -> list[DataVersion]:
    """Every version of the workspace, the newest first."""
    names = [path.stem for path in _folder(root).glob("*.json") if path.name != _CURRENT]
    return sorted((read_version(root, name) for name in names), key=lambda v: v.created, reverse=True)


def current_version(root: Path) -> DataVersion | None:
    """The version that was last recorded or checked out; None if there is none."""
    pointer = _folder(root) / _CURRENT
    return read_version(root, read_json(pointer)["version"]) if pointer.exists() else None


def read_version(root: Path, name: str) -> DataVersion:
    """The version whose name is or begins with ``name``.

    Raises:
        InputError: no version or more than one is called so.
    """
    known = sorted(path.stem for path in _folder(root).glob("*.json") if path.name != _CURRENT)
    found = [stem for stem in known if name and stem.startswith(name)]
    if len(found) != 1:
        raise InputError(f"version {name!r} of the data: expected one of {', '.join(known) or 'none yet'}")
    return DataVersion(**read_json(_manifest(root, found[0])))


def diff_versions(old: DataVersion, new: DataVersion) -> DataDiff:
    """What ``new`` has, has not and has otherwise than ``old``."""
    before, after = _contents(old), _contents(new)
    return DataDiff(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        changed=tuple(sorted(key for key in before.keys() & after.keys() if before[key] != after[key])),
    )


def write_version(root: Path, version: DataVersion) -> None:
    """Write the manifest of a version and make it the current one."""
    if not _manifest(root, version.name).exists():
        content = {slot: getattr(version, slot) for slot in version.__slots__}
        write_json(_manifest(root, version.name), content)
    point_to_version(root, version.name)


def point_to_version(root: Path, name: str) -> None:
    """Make the version called ``name`` the current one."""
    write_json(_folder(root) / _CURRENT, {"version": name})


def _contents(version: DataVersion) -> dict[str, str]:
    return {
        f"{collection}/{video_id}": file["md5"]
        for collection, files in version.files.items()
        for video_id, file in files.items()
    }


def _folder(root: Path) -> Path:
    return root / "data" / "versions"


def _manifest(root: Path, name: str) -> Path:
    return _folder(root) / f"{name}.json"
