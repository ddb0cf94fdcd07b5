"""Rows written to a file in the form that its name says: CSV, JSON lines or Parquet."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dns_core.errors import InputError
from dns_core.store.atomic import atomic_file

Row = Mapping[str, Any]
TABLES = (".csv", ".jsonl", ".parquet")


def check_form(path: Path, forms: Sequence[str] = TABLES) -> None:
    """Check that the name of a file gives a known format.

    Raises:
        InputError: it says none of ``forms``.
    """
    if path.suffix.lower() not in forms:
        raise InputError(f"{path}: expected a name that ends in {', '.join(forms)}")


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Write the table, whole or not at all.

    Args:
        path: the file; see `check_form`.
        columns: names, in order; a table without rows has them too.
        rows: with these columns.
    """
    with atomic_file(path) as temporary:
        if path.suffix.lower() == ".parquet":
            import pyarrow as pa
            import pyarrow.parquet as pq

            table = pa.Table.from_pylist(list(rows)) if rows else pa.table({name: [] for name in columns})
            pq.write_table(table, temporary)
            return
        with temporary.open("w", encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".jsonl":
                file.writelines(json.dumps(row, allow_nan=False) + "\n" for row in rows)
                return
            writer = csv.DictWriter(file, fieldnames=columns)
            writer.writeheader()
            writer.writerows(rows)
