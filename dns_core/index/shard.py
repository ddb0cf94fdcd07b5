"""Shards: immutable folders of arrays about a set of videos, written once and read by mapping.

frame_offsets.npy chunk_offsets.npy    [V + 1] where the frames and chunks of each video begin
times_s.npy frame_rows.npy             [F] one a frame of all videos, one after the other
frames.<name>.npy                      [F', ...] at the rows that `frame_rows` names; a frame that is stored
                                       as the one before takes no row of its own
spans.npy coarse.npy numbers.<fine>.npy  [C, ...] one row a chunk, likewise
coarse.faiss                           short codes of the vectors, if they are many (`nearest`)
videos.json                            ids, content fingerprints, facts of the files, in the order of the rows
"""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import CorruptArtefactError, InputError
from dns_core.index import nearest
from dns_core.index.coarse import coarse_scores
from dns_core.index.encoded import EncodedVideo, check_encoded
from dns_core.index.manifest import FileEntry, ShardEntry
from dns_core.index.npy_stream import AnyArray, NpyStream, map_npy
from dns_core.records import BoolArray, Float32Array, Int64Array, VideoProbe
from dns_core.store.atomic import read_json, write_json

_IDS = "videos.json"
_NUMBERS, _FRAMES = "numbers.", "frames."


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
    ids: list[str] = []
    contents: list[str] = []
    files: list[dict[str, Any] | None] = []
    frame_offsets, chunk_offsets = [0], [0]
    n_rows = 0
    with contextlib.ExitStack() as stack:
        streams: dict[str, NpyStream] = {}
        for record in records:
            _claim(record.video_id, taken)
            check_encoded(record)
            n_rows += _append(_columns(record, n_rows), streams, folder, stack)
            ids.append(record.video_id)
            contents.append(record.content)
            files.append(None if record.probe is None else asdict(replace(record.probe, video_id="")))
            frame_offsets.append(frame_offsets[-1] + record.n_frames)
            chunk_offsets.append(chunk_offsets[-1] + len(record.spans))
    if not ids:
        folder.rmdir()
        return None
    write_json(folder / _IDS, {"ids": ids, "contents": contents, "files": files})
    _write_derived(folder, frame_offsets, chunk_offsets)
    return ShardEntry(
        name=folder.name,
        n_videos=len(ids),
        n_chunks=chunk_offsets[-1],
        n_frames=frame_offsets[-1],
        files={file.name: FileEntry.of(file) for file in sorted(folder.iterdir())},
    )


def _write_derived(folder: Path, frame_offsets: list[int], chunk_offsets: list[int]) -> None:
    """Write where each record begins, and codes of many vectors."""
    np.save(folder / "frame_offsets.npy", np.array(frame_offsets, dtype=np.int64))
    np.save(folder / "chunk_offsets.npy", np.array(chunk_offsets, dtype=np.int64))
    if chunk_offsets[-1] >= nearest.LEAST_CHUNKS:
        nearest.write_codes(folder / nearest.FILE, map_npy(folder / "coarse.npy"))


class Shard:
    """A shard as written, the removed videos too; arrays are mapped when first asked for.

    Args:
        folder: where its files are.
        entry: what the manifest says of it.

    Raises:
        CorruptArtefactError: a file is missing or not as long as it was written.
    """

    def __init__(self, folder: Path, entry: ShardEntry) -> None:
        self.folder = folder
        self.entry = entry
        for name, file in entry.files.items():
            path = folder / name
            found = path.stat().st_size if path.exists() else -1
            if found != file.n_bytes:
                state = "is missing" if found < 0 else f"has {found} bytes, expected {file.n_bytes}"
                raise CorruptArtefactError(f"{path} {state}; build the index again")

    @cached_property
    def videos(self) -> tuple[tuple[str, str], ...]:
        """(id, content fingerprint) of each row."""
        table = read_json(self.folder / _IDS)
        return tuple(zip(table["ids"], table["contents"], strict=True))

    @cached_property
    def probes(self) -> tuple[VideoProbe | None, ...]:
        """What was known of the file of each row; None in shards that were written without."""
        files = read_json(self.folder / _IDS).get("files") or [None] * self.entry.n_videos
        return tuple(
            None if facts is None else VideoProbe(**{**facts, "video_id": video_id})
            for (video_id, _), facts in zip(self.videos, files, strict=True)
        )

    @cached_property
    def frame_offsets(self) -> Int64Array:
        """``[V + 1]``: frames of video ``v`` are the rows from ``[v]`` to ``[v + 1]``."""
        return self.column("frame_offsets")

    @cached_property
    def chunk_offsets(self) -> Int64Array:
        """``[V + 1]``: chunks of video ``v`` are the rows from ``[v]`` to ``[v + 1]``."""
        return self.column("chunk_offsets")

    @cached_property
    def live(self) -> Int64Array:
        """Rows of the videos that have not been removed, increasing."""
        rows = np.arange(self.entry.n_videos, dtype=np.int64)
        return np.delete(rows, list(self.entry.removed))

    @cached_property
    def live_chunks(self) -> Int64Array:
        """Rows of the chunks of live videos, increasing."""
        counts = np.diff(self.chunk_offsets)
        keep = np.zeros(self.entry.n_videos, dtype=bool)
        keep[self.live] = True
        return np.flatnonzero(np.repeat(keep, counts))

    def nearest_chunks(self, queries: Float32Array, count: int) -> Int64Array:
        """Places among the live chunks of about the ``count`` nearest to each query ``[Q, E]``, rising."""
        live = self.live_chunks
        if self._codes is not None:
            rows = self._codes.nearest(queries, count)
            places: Int64Array = np.minimum(np.searchsorted(live, rows), len(live) - 1)
            return np.asarray(places[live[places] == rows])
        best = coarse_scores(self.column("coarse"), queries)[:, live].max(axis=0)
        first = max(len(best) - count, 0)
        return np.sort(np.argpartition(best, first)[first:]) if first else np.arange(len(best))

    def column(self, name: str) -> AnyArray:
        """The array called ``name``, mapped; each name is opened once."""
        if name not in self._mapped:
            self._mapped[name] = map_npy(self.folder / f"{name}.npy")
        return self._mapped[name]

    def record(self, row: int) -> EncodedVideo:
        """The video of a row as it was written, in views of the mapped arrays where no frame repeats."""
        video_id, content = self.videos[row]
        frames = slice(*self.frame_offsets[row : row + 2])
        chunks = slice(*self.chunk_offsets[row : row + 2])
        rows = self.column("frame_rows")[frames]
        return EncodedVideo(
            video_id=video_id,
            content=content,
            times_s=self.column("times_s")[frames],
            spans=self.column("spans")[chunks],
            coarse=self.column("coarse")[chunks],
            numbers={name: self.column(_NUMBERS + name)[chunks] for name in self._names(_NUMBERS)},
            frames={name: _spread(self.column(_FRAMES + name), rows) for name in self._names(_FRAMES)},
            probe=self.probes[row],
        )

    @cached_property
    def _mapped(self) -> dict[str, AnyArray]:
        return {}

    @cached_property
    def _codes(self) -> nearest.ChunkCodes | None:
        return nearest.ChunkCodes(self.folder / nearest.FILE) if nearest.FILE in self.entry.files else None

    def _names(self, prefix: str) -> list[str]:
        files = [name.removesuffix(".npy") for name in self.entry.files if name.endswith(".npy")]
        return [name.removeprefix(prefix) for name in files if name.startswith(prefix)]


def _differs_from_before(record: EncodedVideo) -> BoolArray:
    """``[T]`` whether any array of a frame differs from that of the frame before."""
    new = np.zeros(record.n_frames, dtype=bool)
    new[0] = True
    for array in record.frames.values():
        rows = array.reshape(len(array), -1)
        new[1:] |= (rows[1:] != rows[:-1]).any(axis=1)
    return new


def _spread(stored: AnyArray, rows: AnyArray) -> AnyArray:
    """The frames at rising ``rows`` of a column."""
    distinct: AnyArray = stored[rows[0] : int(rows[-1]) + 1]
    return distinct if len(distinct) == len(rows) else distinct[rows - rows[0]]


def _columns(record: EncodedVideo, n_rows: int) -> dict[str, AnyArray]:
    """What a record adds to each column, where frames have ``n_rows`` rows already."""
    new = _differs_from_before(record)
    return {
        "times_s": record.times_s,
        "frame_rows": (n_rows + np.cumsum(new) - 1).astype(np.uint32),
        "spans": record.spans,
        "coarse": record.coarse,
        **{_NUMBERS + name: array for name, array in record.numbers.items()},
        **{_FRAMES + name: array[new] for name, array in record.frames.items()},
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
