"""Checksums of a shard's files by block: a damaged block is an error when it is first read, and not a score.

``checksums.npy`` holds a CRC-32 of every 16 KiB of every other file, file after file by name. A block is
checked once for each opening of the index, so that a search pays for what it is the first to read.
"""

import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np

from dns_core.errors import CorruptArtefactError
from dns_core.index.manifest import FileEntry
from dns_core.index.npy_stream import AnyArray, map_npy
from dns_core.records import Int64Array, UInt8Array

FILE = "checksums.npy"
_BLOCK_BYTES = 1 << 14


def write_checksums(folder: Path) -> None:
    """Write the checksums of the files that are in ``folder``."""
    sums = [_checksum(block) for path in sorted(folder.iterdir()) for block in _blocks(path)]
    np.save(folder / FILE, np.array(sums, dtype=np.uint32))


class Checksums:
    """What `write_checksums` wrote; a shard of before has none, and then nothing is checked.

    Args:
        folder: of the shard.
        files: its files, as the manifest has them.

    Attributes:
        damage: the first damage found; empty if none was.
    """

    def __init__(self, folder: Path, files: Mapping[str, FileEntry]) -> None:
        self._folder = folder
        self._files = files
        self._opened: dict[str, UInt8Array] = {}
        self._unchecked: dict[str, bytearray] = {}
        self.damage = ""

    def check_file(self, name: str) -> Path:
        """The path of a file, every block of which is as it was written; raises as `check` does."""
        self.check(name, 0, self._files[name].n_bytes)
        return self._folder / name

    def check(self, name: str, start: int, stop: int) -> None:
        """Check the blocks of a file that hold the bytes from ``start`` to ``stop`` (exclusive).

        Raises:
            CorruptArtefactError: a block is not what was written.
        """
        if not self._sums:
            return
        unchecked = self._unchecked_of(name)
        last = -(-stop // _BLOCK_BYTES)
        number = start // _BLOCK_BYTES
        while (number := unchecked.find(1, number, last)) >= 0:
            self._check_block(name, number)

    def check_rows(self, name: str, starts: Int64Array, n_bytes: int) -> None:
        """As `check`, for the ``n_bytes`` from each of ``starts`` on."""
        if not self._sums or not len(starts):
            return
        unchecked = np.frombuffer(self._unchecked_of(name), dtype=np.uint8)
        first, last = starts // _BLOCK_BYTES, (starts + max(n_bytes, 1) - 1) // _BLOCK_BYTES
        span = np.arange((last - first).max() + 1)
        numbers = np.unique(np.minimum(first[:, None] + span, last[:, None]))
        for number in numbers[unchecked[numbers] == 1]:
            self._check_block(name, int(number))

    def _check_block(self, name: str, number: int) -> None:
        begin = number * _BLOCK_BYTES
        block = self._opened[name][begin : begin + _BLOCK_BYTES]
        if (found := _checksum(block)) != (expected := int(self._sums[name][number])):
            self.damage = (
                f"{self._folder / name} is damaged between bytes {begin} and {begin + len(block)}: expected "
                f"checksum {expected:08x}, found {found:08x}; build the index again"
            )
            raise CorruptArtefactError(self.damage)
        self._unchecked[name][number] = 0

    def _unchecked_of(self, name: str) -> bytearray:
        """1 for each block of a file that was not checked so far."""
        if name not in self._unchecked:
            # Opened first: another thread may look for it as soon as its blocks are listed.
            self._opened[name] = np.memmap(self._folder / name, dtype=np.uint8, mode="r")
            self._unchecked.setdefault(name, bytearray(b"\1" * _n_blocks(self._files[name])))
        return self._unchecked[name]

    @cached_property
    def _sums(self) -> Mapping[str, AnyArray]:
        """By file, the checksum of each block."""
        if FILE not in self._files:
            return {}
        path = self._folder / FILE
        self._files[FILE].verify(path)
        sums = map_npy(path)
        names = sorted(name for name in self._files if name != FILE)
        ends = np.cumsum([_n_blocks(self._files[name]) for name in names])
        if sums.shape != (ends[-1],) or sums.dtype != np.uint32:
            raise CorruptArtefactError(
                f"{path} makes no sense: expected {ends[-1]} checksums, found {sums.dtype}{list(sums.shape)}"
            )
        return dict(zip(names, np.split(sums, ends[:-1]), strict=True))


class Column:
    """A mapped array of a shard; what is read of it has been checked.

    Args:
        path: of the file.
        checksums: of the shard.
    """

    def __init__(self, path: Path, checksums: Checksums) -> None:
        checksums.check(path.name, 0, 1)  # the block that says type and shape
        self._array = map_npy(path)
        self._name = path.name
        self._checksums = checksums
        self._begin = int(getattr(self._array, "offset", 0))
        self._row_bytes = self._array.nbytes // len(self._array) if len(self._array) else 0

    def __len__(self) -> int:
        """Rows."""
        return len(self._array)

    def whole(self) -> AnyArray:
        """All rows."""
        return self.between(0, len(self))

    def between(self, start: int, stop: int) -> AnyArray:
        """The rows from ``start`` to ``stop`` (exclusive), a view."""
        begin = self._begin
        self._checksums.check(self._name, begin + start * self._row_bytes, begin + stop * self._row_bytes)
        return self._array[start:stop]

    def at(self, rows: Int64Array) -> AnyArray:
        """The rows called for, a copy."""
        self._checksums.check_rows(self._name, self._begin + rows * self._row_bytes, self._row_bytes)
        return self._array[rows]


def _checksum(block: UInt8Array) -> int:
    return zlib.crc32(block.data)


def _blocks(path: Path) -> list[UInt8Array]:
    if not path.stat().st_size:
        return []
    content: UInt8Array = np.memmap(path, dtype=np.uint8, mode="r")
    return [content[begin : begin + _BLOCK_BYTES] for begin in range(0, len(content), _BLOCK_BYTES)]


def _n_blocks(file: FileEntry) -> int:
    return -(-file.n_bytes // _BLOCK_BYTES)
