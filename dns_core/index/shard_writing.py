"""Writing a shard; `dns_core.index.shard` says which files it has."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import InputError
from dns_core.index import nearest
from dns_core.index.checksums import write_checksums
from dns_core.index.encoded import EncodedVideo, check_encoded
from dns_core.index.manifest import FileEntry, ShardEntry
from dns_core.index.npy_stream import AnyArray, NpyStream, map_npy
from dns_core.index.shard import FRAMES, IDS, NUMBERS
from dns_core.records import BoolArray
from dns_core.store.atomic import write_json


def write_shard(folder: Path, records: Iterable[EncodedVideo], *, taken: set[str]) -> ShardEntry | None:
    """The entry of a new shard in ``folder`` with one row a record, or None if there was no record.

    Records are written as they come: memory holds one at a time.

    Args:
        folder: to be made; its name becomes the shard's.
        records: all of one shape: the same networks made them.
        taken: ids already in the index; those written are added to it.

    Raises:
        InputError: an id comes twice or is taken, or the arrays of a record do not fit.
    """
    folder.mkdir()
    table: dict[str, list[Any]] = {"ids": [], "contents": [], "files": []}
    frame_offsets, chunk_offsets = [0], [0]
    n_rows = 0
    with contextlib.ExitStack() as stack:
        streams: dict[str, NpyStream] = {}
        for record in records:
            _claim(record.video_id, taken)
            check_encoded(record)
            n_rows += _append(_columns(record, n_rows), streams, folder, stack)
            table["ids"].append(record.video_id)
            table["contents"].append(record.content)
            table["files"].append(record.probe and asdict(replace(record.probe, video_id="")))
            frame_offsets.append(frame_offsets[-1] + record.n_frames)
            chunk_offsets.append(chunk_offsets[-1] + len(record.spans))
    if not table["ids"]:
        folder.rmdir()
        return None
    write_json(folder / IDS, table)
    _write_derived(folder, frame_offsets, chunk_offsets)
    return ShardEntry(
        name=folder.name,
        n_videos=len(table["ids"]),
        n_chunks=chunk_offsets[-1],
        n_frames=frame_offsets[-1],
        files={file.name: FileEntry.of(file) for file in sorted(folder.iterdir())},
    )


def _write_derived(folder: Path, frame_offsets: list[int], chunk_offsets: list[int]) -> None:
    """Write where each record begins, codes of many vectors, and the checksums of all files."""
    np.save(folder / "frame_offsets.npy", np.array(frame_offsets, dtype=np.int64))
    np.save(folder / "chunk_offsets.npy", np.array(chunk_offsets, dtype=np.int64))
    if chunk_offsets[-1] >= nearest.LEAST_CHUNKS:
        nearest.write_codes(folder / nearest.FILE, map_npy(folder / "coarse.npy"))
    write_checksums(folder)


def _differs_from_before(record: EncodedVideo) -> BoolArray:
    """``[T]`` whether any array of a frame differs from that of the frame before."""
    new = np.zeros(record.n_frames, dtype=bool)
    new[0] = True
    for array in record.frames.values():
        rows = array.reshape(len(array), -1)
        new[1:] |= (rows[1:] != rows[:-1]).any(axis=1)
    return new


def _columns(record: EncodedVideo, n_rows: int) -> dict[str, AnyArray]:
    """What a record adds to each column, where frames have ``n_rows`` rows already."""
    new = _differs_from_before(record)
    return {
        "times_s": record.times_s,
        "frame_rows": (n_rows + np.cumsum(new) - 1).astype(np.uint32),
        "spans": record.spans,
        "coarse": record.coarse,
        **{NUMBERS + name: array for name, array in record.numbers.items()},
        **{FRAMES + name: array[new] for name, array in record.frames.items()},
    }


def _append(
    columns: Mapping[str, AnyArray],
    streams: dict[str, NpyStream],
    folder: Path,
    stack: contextlib.ExitStack,
) -> int:
    """Write a record to every stream, which the first decides; the rows that its frames took."""
    if not streams:
        for name in columns:
            streams[name] = stack.enter_context(NpyStream(folder / f"{name}.npy"))
    if streams.keys() != columns.keys():
        odd = ", ".join(sorted(streams.keys() ^ columns.keys()))
        raise InputError(f"the videos of an index must have the same arrays; these differ: {odd}")
    for name, array in columns.items():
        streams[name].append(array)
    rows = columns["frame_rows"]
    return int(rows[-1] - rows[0]) + 1


def _claim(video_id: str, taken: set[str]) -> None:
    if video_id in taken:
        raise InputError(f"{video_id} is already in the index; remove it first to replace it")
    taken.add(video_id)
