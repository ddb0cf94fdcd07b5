"""The boxes of an ISO base media file (MP4, QuickTime, HEIF): what FFmpeg does not say of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# Beyond this many boxes a file is not looked at any further.
_MAX_BOXES = 10_000
_TO_SAMPLES = (b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_STSD_HEAD_BYTES = 8


def has_movie(path: Path) -> bool:
    """Whether the file has tracks that are played in time; a still HEIF or AVIF image has none."""
    with path.open("rb") as file:
        return any(kind == b"moov" for kind, _, _ in _boxes(file, 0, path.stat().st_size))


def sample_entries(path: Path) -> set[bytes]:
    """The four letters of each kind of samples in the tracks, for example ``avc1``, ``mp4a``, ``encv``."""
    with path.open("rb") as file:
        movies = [span for kind, *span in _boxes(file, 0, path.stat().st_size) if kind == b"moov"]
        return {kind for start, end in movies for kind in _entries(file, start, end, _TO_SAMPLES)}


def _entries(file: BinaryIO, start: int, end: int, way: tuple[bytes, ...]) -> Iterator[bytes]:
    for kind, inner, stop in _boxes(file, start, end):
        if way and kind == way[0]:
            skipped = _STSD_HEAD_BYTES if kind == b"stsd" else 0
            yield from _entries(file, inner + skipped, stop, way[1:])
        elif not way:
            yield kind


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and where the content begins and ends, of the boxes that lie one after another."""
    for _ in range(_MAX_BOXES):
        file.seek(start)
        head = file.read(16)
        if len(head) < 8 or start >= end:
            return
        size, inner = int.from_bytes(head[:4]), start + 8
        if size == 1:
            size, inner = int.from_bytes(head[8:16]), start + 16
        stop = end if size == 0 else min(start + size, end)
        if stop < inner:
            return
        yield head[4:8], inner, stop
        start = stop
