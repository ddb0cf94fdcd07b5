"""Versions of the videos: which files each collection held, kept by content in DVC's cache.

A version is a manifest in ``data/versions/`` (git keeps it) over three folders that DVC keeps. Its name is
the fingerprint of those folders' contents, so the same videos are the same version on every machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo

from dns_core.errors import InputError, MissingArtefactError, VideoError
from dns_core.stages.context import COLLECTIONS, Workspace
from dns_core.store.atomic import atomic_file, read_json, write_json
from dns_core.video.probe import probe_video
from dns_ops.dag import open_workspace
from dns_ops.provenance import version_name

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


def record_version(root: Path) -> DataVersion:
    """The version of the videos as they lie in ``data/``; it is current now, and in DVC's cache.

    Only files that the current version does not have are probed. Recording what is recorded changes nothing.

    Raises:
        InputError: the folder is no workspace, or a collection is not there.
    """
    workspace = Workspace(root)
    current = current_version(root)
    known = {
        file["md5"]: file["duration_s"]
        for files in (current.files.values() if current else ())
        for file in files.values()
    }
    folders: dict[str, dict[str, Any]] = {}
    files: dict[str, dict[str, dict[str, Any]]] = {}
    with open_workspace(root) as repo:
        for collection in COLLECTIONS:
            folder = workspace.videos(collection)
            folders[collection], digests = _added(repo, folder)
            files[collection] = {
                video_id: {"md5": digest, "duration_s": _duration(folder, video_id, digest, known)}
                for video_id, digest in digests.items()
            }
    name = version_name(
        {
            workspace.videos(collection).relative_to(root).as_posix(): folder["md5"]
            for collection, folder in folders.items()
        }
    )
    if current is not None and current.name == name:
        return current
    created = datetime.now(UTC).isoformat(timespec="seconds")
    version = DataVersion(name, current.name if current else "", created, folders, files)
    if not _manifest(root, name).exists():
        write_json(_manifest(root, name), {slot: getattr(version, slot) for slot in version.__slots__})
    write_json(_folder(root) / _CURRENT, {"version": name})
    return version


def _added(repo: Any, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What DVC's cache says of the folder once it holds it, and the digest of each file by its id."""
    (stage,) = repo.add(str(folder))
    (output,) = stage.outs
    digests = {"/".join(key): str(hashed.value) for key, _, hashed in output.get_obj()}
    described = {"md5": output.hash_info.value, "size": output.meta.size, "nfiles": len(digests)}
    return described, digests


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


def checkout_version(root: Path, name: str) -> DataVersion:
    """The version, whose videos now lie in ``data/``; what is not in the cache is fetched from the remote.

    Videos that lie there and belong to no version are recorded as one first, so that nothing is lost.

    Raises:
        InputError: there is no such version.
        MissingArtefactError: neither cache nor remote has all of its videos; nothing has changed then.
    """
    version = read_version(root, name)
    record_version(root)
    targets = [Path(f"{Workspace(root).videos(collection)}.dvc") for collection in COLLECTIONS]
    before = {target: target.read_bytes() for target in targets}
    for collection, target in zip(COLLECTIONS, targets, strict=True):
        _point(target, version.folders[collection])
    try:
        _restore(root, targets)
    except DvcException as error:
        for target, content in before.items():
            target.write_bytes(content)
        _restore(root, targets)
        raise MissingArtefactError(
            f"version {version.name} of the data: its videos are neither in the cache nor in a remote"
        ) from error
    write_json(_folder(root) / _CURRENT, {"version": version.name})
    return version


def _restore(root: Path, targets: Sequence[Path]) -> None:
    """The folders hold what DVC's files say."""
    names = [str(target) for target in targets]
    with Repo(str(root)) as repo:
        repo.fetch(names)
        repo.checkout(names, force=True)


def _contents(version: DataVersion) -> dict[str, str]:
    return {
        f"{collection}/{video_id}": file["md5"]
        for collection, files in version.files.items()
        for video_id, file in files.items()
    }


def _duration(folder: Path, video_id: str, digest: str, known: Mapping[str, float | None]) -> float | None:
    if digest in known:
        return known[digest]
    try:
        return probe_video(folder / video_id, video_id).duration_s
    except VideoError:
        return None  # the stage that probes says why, and puts it in quarantine


def _point(target: Path, folder: Mapping[str, Any]) -> None:
    """Make DVC's file name another content of the folder."""
    content = yaml.safe_load(target.read_text(encoding="utf-8"))
    content["outs"][0].update(folder)
    with atomic_file(target) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _folder(root: Path) -> Path:
    return root / "data" / "versions"


def _manifest(root: Path, name: str) -> Path:
    return _folder(root) / f"{name}.json"
