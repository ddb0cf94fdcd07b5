"""An index opened for reading: its shards as one list of videos."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.index.coarse import coarse_scores
from dns_core.index.encoded import EncodedVideo
from dns_core.index.manifest import Manifest, read_manifest
from dns_core.index.shard import Shard
from dns_core.index.versions import current_version, version_folder, version_of_shard
from dns_core.records import Float32Array, Int64Array, VideoProbe

_ATTEMPTS = 3


class Index:
    """One version of an index, unaffected by writers.

    Rows number the live videos from 0, shard after shard; chunks number their chunks likewise. Opening
    reads the manifest and the sizes of files; ids are read and arrays mapped when first asked for.

    Args:
        folder: of the version.
        manifest: what it holds.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self._shards = [Shard(folder / entry.name, entry) for entry in manifest.shards]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the live videos by row."""
        return tuple(shard.videos[row][0] for shard in self._shards for row in shard.live)

    @cached_property
    def contents(self) -> tuple[str, ...]:
        """Content fingerprints of the live videos by row."""
        return tuple(shard.videos[row][1] for shard in self._shards for row in shard.live)

    @cached_property
    def probes(self) -> tuple[VideoProbe | None, ...]:
        """What was known of the files of the live videos by row; None where nothing was."""
        return tuple(shard.probes[row] for shard in self._shards for row in shard.live)

    @cached_property
    def row_versions(self) -> Int64Array:
        """``[V]`` version of the index that wrote the shard of each row; 0 where its name does not say."""
        versions = [version_of_shard(entry.name) for entry in self.manifest.shards]
        return np.repeat(versions, [len(shard.live) for shard in self._shards]).astype(np.int64)

    @cached_property
    def chunk_offsets(self) -> Int64Array:
        """``[V + 1]``: the live chunks of row ``v`` are those from ``[v]`` to ``[v + 1]``."""
        counts = [np.diff(shard.chunk_offsets)[shard.live] for shard in self._shards]
        return np.concatenate([[0], *counts]).cumsum().astype(np.int64)

    @property
    def n_videos(self) -> int:
        """V, the number of live videos."""
        return sum(entry.n_videos - len(entry.removed) for entry in self.manifest.shards)

    @property
    def damage(self) -> str:
        """The first damage that was found in what has been read so far; empty if none was."""
        return next((shard.checksums.damage for shard in self._shards if shard.checksums.damage), "")

    @property
    def coverage(self) -> float:
        """Share in [0, 1] of the corpus that is indexed; what is no video does not count."""
        n_missing = sum(row.is_video for row in self.manifest.quarantine)
        return self.n_videos / (self.n_videos + n_missing) if n_missing else 1.0

    def coarse_scores(self, queries: Float32Array, chunks: Int64Array | None = None) -> Float32Array:
        """``[Q, C]`` cosines of query chunks ``[Q, E]`` and live chunks.

        Args:
            queries: unit vectors.
            chunks: which, increasing; all if None.
        """
        parts: list[Float32Array] = [np.empty((len(queries), 0), dtype=np.float32)]
        if chunks is None:
            for shard in self._shards:
                parts.append(coarse_scores(shard.column("coarse").whole(), queries)[:, shard.live_chunks])
        else:
            for shard, rows in self._stored(chunks):
                parts.append(coarse_scores(shard.column("coarse").at(rows), queries))
        return np.concatenate(parts, axis=1)

    def nearest(self, queries: Float32Array, count: int) -> Int64Array:
        """Rows of the videos with about the ``count`` live chunks nearest to each query, increasing.

        In a shard of many chunks some near ones may be missed (`dns_core.index.nearest`).

        Args:
            queries: ``[Q, E]`` unit vectors.
            count: chunks of each shard.
        """
        found: list[Int64Array] = [np.empty(0, dtype=np.int64)]
        for shard, begin in zip(self._shards, self._first_chunks, strict=True):
            found.append(begin + shard.nearest_chunks(queries, count))
        rows = np.searchsorted(self.chunk_offsets, np.concatenate(found), side="right") - 1
        return np.unique(rows)

    def chunks_of(self, rows: Int64Array) -> tuple[Int64Array, Int64Array]:
        """The live chunks of the videos at ``rows``, one video after the other, and offsets ``[len + 1]``."""
        starts, stops = self.chunk_offsets[rows], self.chunk_offsets[rows + 1]
        offsets = np.concatenate([[0], (stops - starts).cumsum()])
        return np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], stops - starts), offsets

    def numbers(self, fine: str, chunks: Int64Array | None = None) -> Float32Array:
        """``[C]`` selector numbers of live chunks, for one fine network.

        Args:
            fine: its name.
            chunks: which, increasing; all if None.

        Raises:
            MissingArtefactError: the index was built without that network.
        """
        empty: Float32Array = np.empty(0, dtype=np.float32)
        self._require(f"numbers.{fine}.npy")
        parts = [shard.column(f"numbers.{fine}").at(rows) for shard, rows in self._stored(chunks)]
        return np.concatenate([empty, *parts])

    def record(self, row: int) -> EncodedVideo:
        """The video of a row, in views of the mapped arrays: only what is used is read."""
        shard, local = self._located[row]
        return self._shards[shard].record(local)

    def n_frames(self, row: int) -> int:
        """T of the video of a row."""
        shard, local = self._located[row]
        offsets = self._shards[shard].frame_offsets
        return int(offsets[local + 1] - offsets[local])

    @cached_property
    def _located(self) -> list[tuple[int, int]]:
        return [(number, int(row)) for number, shard in enumerate(self._shards) for row in shard.live]

    @cached_property
    def _first_chunks(self) -> Int64Array:
        """The live chunks before each shard's."""
        return np.cumsum([0, *(len(shard.live_chunks) for shard in self._shards)])[:-1]

    def _stored(self, chunks: Int64Array | None) -> Iterator[tuple[Shard, Int64Array]]:
        """Each shard and the rows there of those of the live ``chunks`` that it holds; of all if None."""
        for shard, begin in zip(self._shards, self._first_chunks, strict=True):
            rows = shard.live_chunks
            if chunks is not None:
                first, last = np.searchsorted(chunks, [begin, begin + len(rows)])
                rows = rows[chunks[first:last] - begin]
            yield shard, rows

    def _require(self, file: str) -> None:
        for entry in self.manifest.shards:
            if file not in entry.files:
                raise MissingArtefactError(f"{self.folder} has no {file}: it was built without that network")


def open_index(path: Path) -> Index:
    """The current version of the index at ``path``.

    Args:
        path: the folder that `dns_core.index.build.build_index` was given.

    Raises:
        MissingArtefactError: there is no index.
        CorruptArtefactError: a file is missing, truncated, or the manifest was altered.
    """
    for _ in range(_ATTEMPTS):
        number = current_version(path)
        folder = version_folder(path, number)
        try:
            return Index(folder, read_manifest(folder))
        except (MissingArtefactError, CorruptArtefactError) as error:
            # Two writers may have come and gone since the pointer was read, and taken the version along.
            if current_version(path) == number:
                raise CorruptArtefactError(f"version {number} of {path} cannot be opened: {error}") from error
    raise MissingArtefactError(f"{path} changes faster than it can be opened; try again")
