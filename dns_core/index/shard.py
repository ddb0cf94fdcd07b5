"""Shards: immutable folders of arrays about a set of videos, written once and read by mapping.

frame_offsets.npy chunk_offsets.npy    [V + 1] where the frames and chunks of each video begin
times_s.npy frame_rows.npy             [F] one a frame of all videos, one after the other
frames.<name>.npy                      [F', ...] at the rows that `frame_rows` names; a frame that is stored
                                       as the one before takes no row of its own
spans.npy coarse.npy numbers.<fine>.npy  [C, ...] one row a chunk, likewise
coarse.faiss                           short codes of the vectors, if they are many (`nearest`)
videos.json                            ids, content fingerprints, facts of the files, in the order of the rows
checksums.npy                          of every block of the others (`checksums`); read before the block is
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import CorruptArtefactError
from dns_core.index import nearest
from dns_core.index.checksums import Checksums, Column
from dns_core.index.coarse import coarse_scores
from dns_core.index.encoded import EncodedVideo
from dns_core.index.manifest import ShardEntry
from dns_core.index.npy_stream import AnyArray
from dns_core.records import Float32Array, Int64Array, VideoProbe
from dns_core.store.atomic import read_json

IDS = "videos.json"
NUMBERS, FRAMES = "numbers.", "frames."
_BY_FRAME = ("times_s", "frame_rows")


class Shard:
    """A shard as written, the removed videos too; arrays are mapped when first asked for.

    What is read is checked: by checksum, and that offsets and rows lead to what is there. Else a
    `CorruptArtefactError` names the file.

    Args:
        folder: where its files are.
        entry: what the manifest says of it.

    Attributes:
        checksums: of its files.

    Raises:
        CorruptArtefactError: a file is missing or not as long as it was written.
    """

    def __init__(self, folder: Path, entry: ShardEntry) -> None:
        self.folder = folder
        self.entry = entry
        self.checksums = Checksums(folder, entry.files)
        self._columns: dict[str, Column] = {}
        for name, file in entry.files.items():
            path = folder / name
            found = path.stat().st_size if path.exists() else -1
            if found != file.n_bytes:
                state = "is missing" if found < 0 else f"has {found} bytes, expected {file.n_bytes}"
                raise CorruptArtefactError(f"{path} {state}; build the index again")
        if any(not 0 <= row < entry.n_videos for row in entry.removed):
            raise self._senseless("the manifest", f"removed rows below {entry.n_videos}")

    @cached_property
    def videos(self) -> tuple[tuple[str, str], ...]:
        """(id, content fingerprint) of each row."""
        return tuple(zip(self._table["ids"], self._table["contents"], strict=True))

    @cached_property
    def probes(self) -> tuple[VideoProbe | None, ...]:
        """What was known of the file of each row; None in shards that were written without."""
        return tuple(
            None if facts is None else VideoProbe(**{**facts, "video_id": video_id})
            for (video_id, _), facts in zip(self.videos, self._table["files"], strict=True)
        )

    @cached_property
    def frame_offsets(self) -> Int64Array:
        """``[V + 1]``: frames of video ``v`` are the rows from ``[v]`` to ``[v + 1]``."""
        return self._offsets("frame_offsets", self.entry.n_frames)

    @cached_property
    def chunk_offsets(self) -> Int64Array:
        """``[V + 1]``: chunks of video ``v`` are the rows from ``[v]`` to ``[v + 1]``."""
        return self._offsets("chunk_offsets", self.entry.n_chunks)

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
        """Places among the live chunks of the ``count`` nearest to each query ``[Q, E]``, rising; ties stay.

        Where there are codes they are about as many.
        """
        live = self.live_chunks
        if self._codes is not None:
            rows = self._codes.nearest(queries, count)
            places: Int64Array = np.minimum(np.searchsorted(live, rows), len(live) - 1)
            return np.asarray(places[live[places] == rows])
        if len(live) <= count:
            return np.arange(len(live))
        scores = coarse_scores(self.column("coarse").whole(), queries)[:, live]
        least = np.partition(scores, -count, axis=1)[:, [-count]]
        return np.flatnonzero((scores >= least).any(axis=0))

    def column(self, name: str) -> Column:
        """The array called ``name``; each is opened once."""
        if name not in self._columns:
            column = Column(self.folder / f"{name}.npy", self.checksums)
            expected = self.entry.n_frames if name in _BY_FRAME else self.entry.n_chunks
            if not name.startswith(FRAMES) and len(column) != expected:
                raise self._senseless(f"{name}.npy", f"{expected} rows, found {len(column)}")
            self._columns[name] = column
        return self._columns[name]

    def record(self, row: int) -> EncodedVideo:
        """The video of a row as it was written, in views of the mapped arrays where no frame repeats.

        What fine networks compare is read when it is asked for.
        """
        video_id, content = self.videos[row]
        frames, chunks = self.frame_offsets[row : row + 2], self.chunk_offsets[row : row + 2]
        n_frames = frames[1] - frames[0]
        spans = self.column("spans").between(*chunks)
        if spans.min() < 0 or (spans[:, 0] >= spans[:, 1]).any() or spans.max() > n_frames:
            raise self._senseless("spans.npy", f"stretches of the {n_frames} frames of {video_id}")
        return EncodedVideo(
            video_id=video_id,
            content=content,
            times_s=self.column("times_s").between(*frames),
            spans=spans,
            coarse=self.column("coarse").between(*chunks),
            numbers={n: self.column(NUMBERS + n).between(*chunks) for n in self._names(NUMBERS)},
            frames=_Frames(self, self._names(FRAMES), frames),
            probe=self.probes[row],
        )

    def frames(self, name: str, start: int, stop: int) -> AnyArray:
        """What a fine network compares of the frames from ``start`` to ``stop`` (exclusive)."""
        rows = self.column("frame_rows").between(start, stop)
        stored = self.column(FRAMES + name)
        if (rows[1:] < rows[:-1]).any() or rows[-1] >= len(stored):
            raise self._senseless("frame_rows.npy", f"rising rows below {len(stored)}")
        distinct = stored.between(int(rows[0]), int(rows[-1]) + 1)
        return distinct if len(distinct) == len(rows) else distinct[rows - rows[0]]

    @cached_property
    def _table(self) -> Mapping[str, list[Any]]:
        """Ids, contents and facts of the files, each by row."""
        table = read_json(self.checksums.check_file(IDS))
        n_videos = self.entry.n_videos
        table.setdefault("files", [None] * n_videos)
        if any(len(table.get(name, ())) != n_videos for name in ("ids", "contents", "files")):
            raise self._senseless(IDS, f"{n_videos} ids, contents and files")
        return dict(table)

    @cached_property
    def _codes(self) -> nearest.ChunkCodes | None:
        if nearest.FILE not in self.entry.files:
            return None
        return nearest.ChunkCodes(self.checksums.check_file(nearest.FILE))

    def _offsets(self, name: str, total: int) -> Int64Array:
        path = self.folder / f"{name}.npy"
        offsets: Int64Array = Column(path, self.checksums).whole()
        ends = (0, total)
        if offsets.shape != (self.entry.n_videos + 1,) or (offsets[0], offsets[-1]) != ends:
            raise self._senseless(path.name, f"{self.entry.n_videos + 1} numbers from 0 to {total}")
        if (offsets[1:] <= offsets[:-1]).any():
            raise self._senseless(path.name, "rising numbers")
        return offsets

    def _names(self, prefix: str) -> list[str]:
        files = [name.removesuffix(".npy") for name in self.entry.files if name.endswith(".npy")]
        return [name.removeprefix(prefix) for name in files if name.startswith(prefix)]

    def _senseless(self, file: str, expected: str) -> CorruptArtefactError:
        return CorruptArtefactError(
            f"{self.folder / file} makes no sense: expected {expected}; build the index again"
        )


class _Frames(Mapping[str, AnyArray]):
    """What fine networks compare of one video, by network; read when it is asked for."""

    def __init__(self, shard: Shard, names: list[str], frames: Int64Array) -> None:
        self._shard = shard
        self._names = names
        self._start, self._stop = map(int, frames)
        for name in names:  # mapped at once: the version may be removed by the time that it is read
            shard.column(FRAMES + name)

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self._names:
            raise KeyError(name)
        return self._shard.frames(name, self._start, self._stop)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
