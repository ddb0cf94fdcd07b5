"""The public annotation files: pickles, read as data and checked like JSON."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dns_core.datasets.checked_json import Checked
from dns_core.errors import GroundTruthError, MissingArtefactError
from dns_core.store.plain_pickle import read_plain_pickle


def read_public_pickle(path: Path, origin: str) -> Checked:
    """The content of a pickled annotation file, sets as sorted lists; nothing in it is run.

    Args:
        path: the file.
        origin: where its authors publish it.

    Raises:
        GroundTruthError: there is no such file.
        ForeignFileError: it asks for more than plain data, or is not a whole pickle.
    """
    try:
        return Checked(path, "", _listed(read_plain_pickle(path)))
    except MissingArtefactError:
        raise missing(path, origin) from None


def read_public_lines(path: Path, origin: str) -> list[str]:
    """The lines of a text file that are not empty.

    Raises:
        GroundTruthError: there is no such file, or it is not text.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise missing(path, origin) from None
    except (OSError, UnicodeDecodeError) as error:
        raise GroundTruthError(f"{path}: expected a text file, found: {error}") from error
    return [line.strip() for line in lines if line.strip()]


def missing(path: Path, origin: str) -> GroundTruthError:
    """The error that says what is not there, and who publishes it."""
    return GroundTruthError(f"{path}: expected an annotation file, found none; it is published as {origin}")


def _listed(value: Any) -> Any:
    """``value`` with lists in place of sets and tuples; sets are sorted."""
    if isinstance(value, Mapping):
        return {key: _listed(inner) for key, inner in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(_listed(inner) for inner in value)
    return [_listed(inner) for inner in value] if isinstance(value, list | tuple) else value
