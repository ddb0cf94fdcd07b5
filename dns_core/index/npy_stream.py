"""Arrays written to ``.npy`` files row by row, and read back mapped into memory."""

import io
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError

AnyArray = npt.NDArray[Any]


class NpyStream:
    """A ``.npy`` file that grows along its first axis, so that no array has to fit in memory.

    The first block decides the type and the shape of a row. NumPy leaves room in the header for the
    first axis to grow; the header is written again when the length is known.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("wb")
        self._header_bytes = 0
        self._dtype: np.dtype[Any] | None = None
        self._row: tuple[int, ...] = ()
        self._n_rows = 0

    def append(self, block: AnyArray) -> None:
        """Write the rows of ``block`` after those already there.

        Raises:
            InputError: its type or the shape of its rows is not that of the first block.
        """
        if self._dtype is None:
            self._dtype, self._row = block.dtype, block.shape[1:]
            self._header_bytes = self._file.write(self._header())
        if (block.dtype, block.shape[1:]) != (self._dtype, self._row):
            raise InputError(
                f"{self._path.name} holds rows of {self._dtype}{list(self._row)}, "
                f"got {block.dtype}{list(block.shape[1:])}"
            )
        self._file.write(np.ascontiguousarray(block).data)
        self._n_rows += len(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Make the file whole, if all went well: its header names the number of rows written."""
        try:
            if kind is None and self._dtype is not None:
                header = self._header()
                if len(header) != self._header_bytes:
                    raise RuntimeError(f"the header of {self._path} changed its length")
                self._file.seek(0)
                self._file.write(header)
        finally:
            self._file.close()

    def _header(self) -> bytes:
        buffer = io.BytesIO()
        shape = (self._n_rows, *self._row)
        descr = npy_format.dtype_to_descr(np.dtype(self._dtype))
        npy_format.write_array_header_1_0(buffer, {"descr": descr, "fortran_order": False, "shape": shape})
        return buffer.getvalue()


def map_npy(path: Path) -> AnyArray:
    """The array of a ``.npy`` file, mapped read-only: opening costs the same for any size.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file is not a whole ``.npy`` file.
    """
    try:
        mapped: AnyArray = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise MissingArtefactError(f"{path} is not there; build the index again") from None
    except (ValueError, EOFError, OSError) as error:
        raise CorruptArtefactError(f"{path} is not a whole .npy file: {error}") from error
    return mapped
