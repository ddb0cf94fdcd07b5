"""Pickles from elsewhere, read as data: nothing that they ask to call is ever called."""

import pickle
import re
from pathlib import Path
from typing import Any, NoReturn

from dns_core.errors import ForeignFileError, MissingArtefactError

# What public annotation files are made of besides the types that pickle knows itself.
_CONTAINERS = {"set": set, "frozenset": frozenset}
_BUILTINS = ("builtins", "__builtin__")  # as Python 3 and Python 2 call it

_GLOBAL = re.compile(r"GLOBAL (\S+)")
# torch wraps what its unpickler met in advice to read the file unsafely.
_TORCH = re.compile(r"WeightsUnpickler error:\s*(\S.*)")


class _PlainUnpickler(pickle.Unpickler):
    """Builds numbers, strings, lists, tuples, dicts and sets."""

    def find_class(self, module: str, name: str) -> Any:
        """The container of that name; everything else is refused before it is looked up."""
        if module not in _BUILTINS or name not in _CONTAINERS:
            raise pickle.UnpicklingError(f"GLOBAL {module}.{name} is refused")
        return _CONTAINERS[name]

    def persistent_load(self, pid: Any) -> NoReturn:
        """Nothing: references to things outside the file are refused."""
        raise pickle.UnpicklingError(f"the external object {pid!r} is refused")


def read_plain_pickle(path: Path) -> Any:
    """The numbers, strings, lists, tuples, dicts and sets that a pickle file holds.

    Args:
        path: a file of any pickle protocol.

    Raises:
        MissingArtefactError: there is no such file.
        ForeignFileError: the file asks for anything else (then nothing of it is run), is truncated, or is
            not a pickle.
    """
    try:
        with path.open("rb") as file:
            return _PlainUnpickler(file, encoding="utf-8").load()
    except FileNotFoundError:
        raise MissingArtefactError(f"{path} is not there") from None
    # On invalid input the unpickler raises almost any exception.
    except Exception as error:
        raise ForeignFileError(f"{path}: {refusal(error)}") from error


def refusal(error: Exception) -> str:
    """What a refusing unpickler complained of, in one line: what was expected and found."""
    found = _GLOBAL.search(str(error))
    if found is not None:
        return (
            f"expected a pickle of plain data, found one that asks for {found[1]}: refused, nothing was run"
        )
    wrapped = _TORCH.search(str(error))
    said = wrapped[1] if wrapped is not None else str(error) or type(error).__name__
    return f"expected a whole pickle of plain data, found: {said.partition('. ')[0].splitlines()[0]}"
