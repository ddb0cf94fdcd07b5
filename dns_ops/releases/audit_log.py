"""Audit log of promotions, refusals and rollbacks: append-only, a hash chain over its rows."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dns_core.errors import CorruptArtefactError
from dns_core.store.fingerprints import fingerprint_json

_SEAL = "previous"


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Append a row to the audit log and flush it to the disk.

    Raises:
        CorruptArtefactError: an earlier row was altered.
    """
    rows = read_rows(path)
    sealed = {**row, _SEAL: fingerprint_json(rows[-1]) if rows else ""}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(sealed, sort_keys=True, allow_nan=False) + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Rows of the audit log, the oldest first.

    Raises:
        CorruptArtefactError: a row was altered, removed or put in between after it was written.
    """
    if not path.exists():
        return []
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CorruptArtefactError(f"{path}, line {number}: not JSON: {error}") from error
        if row.get(_SEAL) != (fingerprint_json(rows[-1]) if rows else ""):
            raise CorruptArtefactError(f"{path}, line {number}: a row before it was altered or is missing")
        rows.append(row)
    return rows
