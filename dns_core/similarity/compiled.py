"""Loops over numbers, compiled."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite.binding import get_host_cpu_features

_F = TypeVar("_F", bound=Callable[..., Any])
_N = TypeVar("_N", bound=np.generic)


def compiled(function: _F) -> _F:
    """``function`` compiled on its first call, without the interpreter's lock, and kept on disk."""
    return cast(_F, numba.njit(nogil=True, cache=True)(function))


def compiled_loosely(function: _F) -> _F:
    """As `compiled`, with sums in any order that is fast: equal to rounding, and still from run to run."""
    return cast(_F, numba.njit(nogil=True, cache=True, fastmath={"contract", "reassoc", "nsz"})(function))


def read_only(array: npt.NDArray[_N]) -> npt.NDArray[_N]:
    """A contiguous, read-only plain array of the values of ``array``.

    Functions are compiled once more for arrays that may be written, and slow to tell what a subclass is.
    """
    view = np.ascontiguousarray(np.asarray(array)).view()
    view.flags.writeable = False
    return view


@cache
def processor_has(feature: str) -> bool:
    """Whether compiled code may use a feature of the processor, by LLVM's name, for example ``avx512f``.

    What ``NUMBA_CPU_FEATURES`` leaves out is not used, which is how other processors are tested.
    """
    asked: str | None = numba.config.CPU_FEATURES  # type: ignore[attr-defined]  # made at import
    if asked is not None:
        return f"+{feature}" in asked.split(",")
    return bool(get_host_cpu_features().get(feature))
