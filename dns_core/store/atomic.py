"""Atomic writes: files and folders are whole or absent, even if the writer is interrupted."""

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dns_core.errors import CorruptArtefactError, MissingArtefactError


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """A temporary sibling that becomes ``path`` when the block ends well, and vanishes when it does not.

    The sibling keeps the suffix of ``path`` (encoders choose the container by it) and is hidden. It is
    flushed to the disk before it is renamed, and the rename is flushed too. Siblings that a killed
    process of this machine left for the same ``path`` are removed first.

    Args:
        path: the file to write; its folder is made if it is not there.

    Yields:
        The path to write to; nothing is there yet.
    """
    temporary = _temporary_sibling(path)
    try:
        yield temporary
        _flush(temporary)
        temporary.replace(path)
    except BaseException as error:
        _name(error, path)
        temporary.unlink(missing_ok=True)
        raise
    _flush(path.parent)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """A temporary sibling folder that becomes ``path`` when the block ends well, and vanishes otherwise.

    A folder that stands at ``path`` is replaced as a whole: a reader sees the old one, for an instant
    none, or the new one, and never a mixture.

    Args:
        path: the folder to write; its parent is made if it is not there.

    Yields:
        The folder to write in; it exists and is empty.
    """
    temporary = _temporary_sibling(path)
    temporary.mkdir()
    try:
        yield temporary
        for entry in sorted(temporary.rglob("*")):
            _flush(entry)
        _flush(temporary)
        _replace_folder(temporary, path)
    except BaseException as error:
        _name(error, path)
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    _flush(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON with sorted keys: equal values give equal bytes.

    Args:
        path: the file to write, atomically.
        value: anything that JSON can say; NaN and infinity are refused.

    Raises:
        TypeError: a part of ``value`` has no form in JSON.
        ValueError: a number is NaN or infinite.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(dump_json(value), encoding="utf-8")


def dump_json(value: Any) -> str:
    """A value as `write_json` writes it; raises likewise."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:
    """The value that `write_json` wrote.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingArtefactError(f"{path} is not there; has the step that writes it run?") from None
    except ValueError as error:
        raise CorruptArtefactError(f"{path} is not valid JSON: {error}") from error


def _name(error: BaseException, path: Path) -> None:
    """Have an error of the disk say what could not be written: a full one often names no file."""
    if isinstance(error, OSError) and error.errno is not None and error.filename is None:
        error.filename = str(path)


def _temporary_sibling(path: Path) -> Path:
    """A free hidden name beside ``path``; leftovers of dead processes are swept on the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name is hashed: a file name may already be as long as the file system allows.
    owner = hashlib.sha256(f"{socket.gethostname()}\0{path.name}".encode(errors="surrogateescape"))
    prefix = f".partial-{owner.hexdigest()[:12]}-"
    for leftover in path.parent.glob(f"{prefix}*"):
        if not _process_lives(leftover.name.removeprefix(prefix)):
            _remove(leftover)
    return path.parent / f"{prefix}{os.getpid()}-{secrets.token_hex(4)}{path.suffix}"


def _process_lives(tail: str) -> bool:
    """Whether the process whose id begins ``tail`` still runs; an unreadable id counts as alive."""
    digits = tail.partition("-")[0]
    if not digits.isdecimal():
        return True
    try:
        os.kill(int(digits), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
        return
    old = new.with_name(f"{new.name}-old")
    path.rename(old)
    new.rename(path)
    shutil.rmtree(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    """Ask the kernel to put a file or a folder on the disk before going on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
