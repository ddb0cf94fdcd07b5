"""Folders of a workspace in a bucket: pushed and pulled as versions, of which one is current."""

import json
import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.ports import Progress
from dns_core.store.atomic import atomic_folder
from dns_core.store.fingerprints import fingerprint_json
from dns_core.workspace import Workspace
from dns_ops.storage.blobs import (
    blob_key,
    download_blob,
    file_digest,
    read_object,
    stays_inside,
    upload_blob,
    write_object,
)
from dns_ops.storage.bucket import Bucket
from dns_ops.storage.intact import require_intact

_PARALLEL = 8
_TYPES = {".mp4": "video/mp4", ".webm": "video/webm", ".mkv": "video/x-matroska", ".mov": "video/quicktime"}

KINDS = ("videos", "features", "models", "index")


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a version: SHA-256 by path, with ``/`` separators."""

    kind: str
    files: Mapping[str, str]

    @property
    def version(self) -> str:
        """Fingerprint of the files."""
        return fingerprint_json(dict(self.files))


def local_folder(root: Path, kind: str) -> Path:
    """Where a workspace has what is pushed.

    Raises:
        InputError: there is no such kind.
    """
    workspace = Workspace(root)
    folders = {
        "videos": root / "data",
        "features": workspace.features("train").parent,
        "models": workspace.models,
        "index": workspace.index,
    }
    if kind not in folders:
        raise InputError(f"{kind!r}: expected one of {', '.join(KINDS)}")
    return folders[kind]


def push_tree(bucket: Bucket, kind: str, folder: Path, progress: Progress) -> tuple[Tree, int]:
    """Publish a folder; returns the version and how many contents were uploaded.

    Readers get the version before until the last request; an interrupted push changes nothing for them.

    Raises:
        InputError: the folder is not there or empty.
        CorruptArtefactError: a file is not what was written.
        StorageError: the bucket does not take it.
    """
    bucket.require()
    paths = {path.relative_to(folder).as_posix(): path for path in _published_files(kind, folder)}
    if not paths:
        raise InputError(f"{folder}: expected files to push, found none")
    require_intact(kind, folder)
    tree = Tree(kind, {name: file_digest(path) for name, path in sorted(paths.items())})
    contents = {sha256: paths[name] for name, sha256 in tree.files.items()}
    with ThreadPoolExecutor(_PARALLEL) as pool:
        moved = pool.map(lambda item: upload_blob(bucket, item[1], item[0]), contents.items())
        n_moved = sum(progress.track(moved, f"pushing {kind}", len(contents)))
    write_object(bucket, _list_key(kind, tree.version), json.dumps(dict(tree.files)).encode())
    write_object(bucket, _pointer_key(kind), json.dumps({"version": tree.version}).encode())
    return tree, n_moved


def pull_tree(bucket: Bucket, kind: str, folder: Path, progress: Progress, version: str = "") -> Tree:
    """Replace ``folder`` by a version and return it.

    Args:
        bucket: where from.
        kind: of tree.
        folder: where to; its files are used if the version has them too.
        progress: shown over files.
        version: empty is the current one.

    Raises:
        MissingArtefactError: the bucket has no such version.
        CorruptArtefactError: the bucket holds something else than it says; nothing has changed then.
        StorageError: the bucket does not give it.
    """
    bucket.require()
    tree = read_tree(bucket, kind, version)
    # Contents are kept beside the folder, so that an interrupted pull resumes.
    stock = folder.with_name(f".{folder.name}.pulled")
    stock.mkdir(parents=True, exist_ok=True)
    here = {file_digest(path): path for path in _files(folder)}
    wanted = sorted(set(tree.files.values()) - here.keys() - {path.name for path in stock.iterdir()})
    with ThreadPoolExecutor(_PARALLEL) as pool:
        fetched = pool.map(lambda sha256: download_blob(bucket, sha256, stock / sha256), wanted)
        for _ in progress.track(fetched, f"pulling {kind}", len(wanted)):
            pass
    with atomic_folder(folder) as draft:
        for name, sha256 in tree.files.items():
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(here.get(sha256, stock / sha256), target)
    shutil.rmtree(stock)
    return tree


def read_tree(bucket: Bucket, kind: str, version: str = "") -> Tree:
    """The files of a version; the current one if none is named.

    Raises:
        MissingArtefactError: the bucket has no such version.
        CorruptArtefactError: the list is not what was written.
    """
    wanted = version or str(_read_table(bucket, _pointer_key(kind)).get("version"))
    files = _read_table(bucket, _list_key(kind, wanted))
    tree = Tree(kind, files)
    if tree.version != wanted or not all(stays_inside(name) for name in files):
        raise CorruptArtefactError(f"bucket {bucket.name}: {_list_key(kind, wanted)} was altered")
    return tree


def _read_table(bucket: Bucket, key: str) -> dict[str, str]:
    """The JSON object under a key.

    Raises:
        CorruptArtefactError: what came is none: it was altered, or the answer broke off.
    """
    try:
        return dict(json.loads(read_object(bucket, key)))
    except (ValueError, TypeError) as error:
        raise CorruptArtefactError(f"bucket {bucket.name}: {key} is no table of names: {error}") from error


def playback_url(bucket: Bucket, video: str, seconds: int) -> str:
    """Presigned address of one pushed video, valid for a limited time.

    Args:
        bucket: where the videos are.
        video: path in ``data/``, for example ``test/database/a.mp4``.
        seconds: that it holds.

    Raises:
        MissingArtefactError: no such video was pushed.
    """
    sha256 = read_tree(bucket, "videos").files.get(video)
    if sha256 is None:
        raise MissingArtefactError(f"bucket {bucket.name}: no video {video!r} in its current version")
    kind = _TYPES.get(PurePosixPath(video).suffix.lower(), "application/octet-stream")
    place = {"Bucket": bucket.name, "Key": blob_key(sha256), "ResponseContentType": kind}
    with bucket.asked():
        return str(bucket.client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds))


def _published_files(kind: str, folder: Path) -> Iterator[Path]:
    """Files of the folder; of an index those of the version that readers open."""
    if kind != "index":
        yield from _files(folder)
        return
    pointer = folder / "CURRENT"
    if pointer.is_file():
        yield pointer
        yield from _files(folder / "versions" / pointer.read_text(encoding="ascii").strip())


def _files(folder: Path) -> Iterator[Path]:
    """Every file but the hidden ones, which are drafts; git's own stay with the folder."""
    for path in folder.rglob("*"):
        if path.is_file() and (path.name == ".gitignore" or not path.name.startswith(".")):
            yield path


def _list_key(kind: str, version: str) -> str:
    return f"{kind}/{version}.json"


def _pointer_key(kind: str) -> str:
    return f"{kind}/current.json"
