"""Files that hold the digest of their own content, so that a bit altered by a disk or network is found.

The digest is taken with zeros in its place. It stands as text after its name, as a value of a JSON object or
in the metadata of a graph.
"""

import hashlib
import re
from pathlib import Path
from typing import Any

from dns_core.errors import CorruptArtefactError
from dns_core.store.atomic import atomic_file, dump_json, read_json

SEAL = "content_sha256"
"""Name of the digest."""

BLANK = "0" * 64
"""Stands in the place of the digest until it is known."""

# After the name in JSON, and in the metadata of a graph (Protocol Buffers: field 2, 64 bytes).
_PLACE = re.compile(SEAL.encode() + rb"(?:\": \"|\x12\x40)(.{64})", re.DOTALL)


def sealed(content: bytes) -> bytes:
    """The content with its digest in place of the `BLANK` after `SEAL`.

    Raises:
        ValueError: there is no such place.
    """
    place = _PLACE.search(content)
    if place is None:
        raise ValueError(f"expected a blank after {SEAL}, found none")
    blank = _with(content, place, BLANK)
    return _with(content, place, hashlib.sha256(blank).hexdigest())


def check_seal(path: Path) -> None:
    """Check a file against its digest; a file without one, made by earlier versions, has nothing to check.

    Raises:
        CorruptArtefactError: the file was altered.
    """
    content = path.read_bytes()
    if _PLACE.search(content) and sealed(content) != content:
        raise CorruptArtefactError(f"{path} was altered after it was written: its digest does not agree")


def write_sealed_json(path: Path, value: dict[str, Any]) -> None:
    """As `dns_core.store.atomic.write_json`, with the digest of the content."""
    content = sealed(dump_json({**value, SEAL: BLANK}).encode())
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def read_sealed_json(path: Path) -> Any:
    """The value that `write_sealed_json` wrote.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file is not JSON, or was altered.
    """
    value = read_json(path)
    check_seal(path)
    if isinstance(value, dict):
        value.pop(SEAL, None)
    return value


def _with(content: bytes, place: re.Match[bytes], digest: str) -> bytes:
    return content[: place.start(1)] + digest.encode() + content[place.end(1) :]
