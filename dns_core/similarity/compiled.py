"""Loops over numbers, compiled."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])


def compiled(function: _F) -> _F:
    """``function`` compiled on its first call, without the interpreter's lock, and kept on disk."""
    return cast(_F, numba.njit(nogil=True, cache=True)(function))
