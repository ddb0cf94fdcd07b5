"""Short names of content: the same content has the same fingerprint, on every machine."""

import hashlib
import json
from pathlib import Path
from typing import Any

_N_DIGITS = 16


def fingerprint_bytes(content: bytes) -> str:
    """16 hex digits of the SHA-256 of ``content``."""
    return hashlib.sha256(content).hexdigest()[:_N_DIGITS]


def fingerprint_file(path: Path) -> str:
    """16 hex digits of the SHA-256 of a file's content, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_N_DIGITS]


def fingerprint_json(value: Any) -> str:
    """Fingerprint of a value of strings, numbers, lists and mappings; key order does not matter.

    Raises:
        TypeError: a part of ``value`` has no form in JSON.
        ValueError: a number is NaN or infinite.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return fingerprint_bytes(text.encode("ascii"))
