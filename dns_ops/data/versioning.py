"""Recording versions of the videos, kept by content in DVC's cache, and bringing them back."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo

from dns_core.decoding.decoders import Decoders
from dns_core.decoding.offline import open_decoder, tried
from dns_core.errors import MissingArtefactError, VideoError
from dns_core.store.atomic import atomic_file
from dns_core.workspace import COLLECTIONS, Workspace
from dns_ops.dag import open_workspace
from dns_ops.data.versions import DataVersion, current_version, point_to_version, read_version, write_version
from dns_ops.provenance import version_name


def record_version(root: Path) -> DataVersion:
    """Record the videos in ``data/`` as the current version and put them into DVC's cache.

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
            durations = _durations(folder, digests, known)
            files[collection] = {
                video_id: {"md5": digest, "duration_s": durations[video_id]}
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
    write_version(root, version)
    return version


def _added(repo: Any, folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What DVC's cache says of the folder once it holds it, and the digest of each file by its id."""
    (stage,) = repo.add(str(folder))
    (output,) = stage.outs
    digests = {"/".join(key): str(hashed.value) for key, _, hashed in output.get_obj()}
    described = {"md5": output.hash_info.value, "size": output.meta.size, "nfiles": len(digests)}
    return described, digests


def checkout_version(root: Path, name: str) -> DataVersion:
    """Check out a version's videos into ``data/``; what the cache lacks is fetched from the remote.

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
    point_to_version(root, version.name)
    return version


def _restore(root: Path, targets: Sequence[Path]) -> None:
    """Check out the folders as DVC's files describe them."""
    names = [str(target) for target in targets]
    with Repo(str(root)) as repo:
        repo.fetch(names)
        repo.checkout(names, force=True)


def _durations(
    folder: Path, digests: Mapping[str, str], known: Mapping[str, float | None]
) -> dict[str, float | None]:
    """Seconds by id; a file that was seen before is not opened."""
    with closing(open_decoder()) as decoder:
        return {
            video_id: known[digest] if digest in known else _duration(decoder, folder / video_id)
            for video_id, digest in digests.items()
        }


def _duration(decoder: Decoders, path: Path) -> float | None:
    try:
        return tried(lambda: decoder.facts(path, pictures=False)).duration_s
    except VideoError:
        return None  # the stage that probes says why, and puts it in quarantine


def _point(target: Path, folder: Mapping[str, Any]) -> None:
    """Make DVC's file name another content of the folder."""
    content = yaml.safe_load(target.read_text(encoding="utf-8"))
    content["outs"][0].update(folder)
    with atomic_file(target) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
