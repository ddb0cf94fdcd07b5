"""The list of videos that could not be used, as a JSON file that a person can read."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dns_core.errors import CorruptArtefactError
from dns_core.records import Quarantined
from dns_core.store.atomic import read_json, write_json

_FORMAT = 1


def write_quarantine(path: Path, rows: Sequence[Quarantined]) -> None:
    """Write a quarantine list by video id; an empty list is written too, so that absence is explicit."""
    ordered = sorted(rows, key=lambda row: row.video_id)
    write_json(path, {"format": _FORMAT, "quarantined": [asdict(row) for row in ordered]})


def read_quarantine(path: Path) -> list[Quarantined]:
    """The rows that `write_quarantine` wrote, by video id.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file is not a quarantine list of this format.
    """
    content = read_json(path)
    try:
        if content["format"] != _FORMAT:
            raise CorruptArtefactError(f"{path} has format {content['format']}, expected {_FORMAT}")
        return [Quarantined(**row) for row in content["quarantined"]]
    except (KeyError, TypeError) as error:
        raise CorruptArtefactError(f"{path} is not a quarantine list: {error!r}") from error
