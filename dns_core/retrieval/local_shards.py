"""The half of a search that looks at each video alone, over the shards of this machine."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from dns_core.errors import ShardsLostError
from dns_core.index.reader import Index
from dns_core.records import Float32Array, Int64Array
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores, pair_segments
from dns_core.retrieval.localisation import PathFinder, sampling_period_s
from dns_core.retrieval.ranking import best_pairs, falling_order, video_scores
from dns_core.retrieval.scorer import scorer_of
from dns_core.retrieval.shards import (
    LIMITS,
    N_LIKELY,
    BestFrame,
    CoarseQuery,
    EngineLimits,
    Seen,
    Segments,
)
from dns_core.retrieval.temporal_network import temporal_network

_BLOCK_VIDEOS = 256


class LocalShards:
    """The shards of an opened index, or some of them.

    Args:
        index: opened for reading.
        bundle: the models that made it.
        fine: the fine network that compares.
        limits: how much is handled at once.
    """

    def __init__(self, index: Index, bundle: Bundle, fine: str, limits: EngineLimits = LIMITS) -> None:
        self.index = index
        self._bundle = bundle
        self._fine = fine
        self._limits = limits
        self._scorer = scorer_of(bundle.fine(fine))

    @property
    def n_videos(self) -> int:
        """Live videos."""
        return self.index.n_videos

    def seen(self, query: CoarseQuery, *, shortlisted: bool) -> Seen:
        """As `dns_core.retrieval.shards.Shards` says."""
        index, vectors = self.index, query.vectors
        if shortlisted:
            rows = index.nearest(vectors, self._limits.shortlist)
            chunks, offsets = index.chunks_of(rows)
            chunk_scores = index.coarse_scores(vectors, chunks)
            ids = tuple(index.ids[row] for row in rows)
            numbers = index.numbers(self._fine, chunks)
        else:
            rows, offsets = np.arange(index.n_videos), index.chunk_offsets
            chunk_scores = index.coarse_scores(vectors)
            ids, numbers = index.ids, index.numbers(self._fine)
        query_chunk, target_chunk = best_pairs(chunk_scores, offsets)
        columns = query.numbers[query_chunk], numbers[target_chunk], chunk_scores[query_chunk, target_chunk]
        table = np.stack(columns, axis=1).astype(np.float32)
        scores = video_scores(chunk_scores, offsets, query.panes)
        if not shortlisted:
            return Seen(rows, ids, scores, table)
        best = np.maximum.reduceat(chunk_scores, offsets[:-1], axis=1) if len(rows) else chunk_scores
        return Seen(rows, ids, scores, table, best, chunk_scores).cut(self._limits.shortlist)

    def fine_scores(
        self, query: ChunkedVideo, rows: Int64Array, *, deadline_ms: float | None = None
    ) -> Float32Array:
        """As `dns_core.retrieval.shards.Shards` says."""
        scores = np.full(len(rows), np.nan, dtype=np.float32)
        started = time.perf_counter()
        limit = self._limits.block_cells if deadline_ms is None else self._limits.timed_block_cells
        for block in self._blocks(rows, len(query.times_s), limit):
            targets = [self._stored(int(row)) for row in rows[block]]
            scores[block] = chunked_scores(self._scorer, query, targets)
            if deadline_ms is not None and (time.perf_counter() - started) * 1000 >= deadline_ms:
                break
        return scores

    def segments(
        self, query: ChunkedVideo, rows: Int64Array, finder: PathFinder = temporal_network
    ) -> list[Segments]:
        """As `dns_core.retrieval.shards.Shards` says.

        Args:
            query: as for `fine_scores`.
            rows: likewise.
            finder: of matching cells.
        """
        threshold = self._bundle.calibration.frame_threshold(self._fine)
        targets = (self._stored(int(row)) for row in rows)
        return [
            pair_segments(self._scorer, query, target, threshold=threshold, finder=finder)
            for target in targets
        ]

    def best_frames(self, picture: ChunkedVideo, top_k: int) -> list[BestFrame]:
        """As `dns_core.retrieval.shards.Shards` says."""
        index, n_videos = self.index, self.n_videos
        best, likely = np.empty(n_videos, dtype=np.float32), list[Int64Array]()
        for start in range(0, n_videos, _BLOCK_VIDEOS):
            rows = range(start, min(start + _BLOCK_VIDEOS, n_videos))
            stored = [self._stored(row).frames for row in rows]
            for row, matrix in zip(rows, self._scorer.matrices(picture.frames, stored), strict=True):
                by_frame = matrix.max(axis=0)
                likely.append(np.argsort(-by_frame, kind="stable")[:N_LIKELY])
                best[row] = by_frame[likely[row][0]]
        order = falling_order(best, index.ids)[: top_k or n_videos]
        return [self._frame(row, likely[row], float(best[row])) for row in order.tolist()]

    def without(self, names: Sequence[str]) -> "LocalShards":
        """Never asked for: what is on this machine is not lost.

        Raises:
            ShardsLostError: in any case.
        """
        raise ShardsLostError(names, "they are the only ones")

    def _stored(self, row: int) -> ChunkedVideo:
        return ChunkedVideo.stored(self.index.record(row), self._fine)

    def _frame(self, row: int, likely: Int64Array, similarity: float) -> BestFrame:
        times_s = self.index.record(row).times_s
        start_s, *_ = likely_s = tuple(times_s[likely].tolist())
        stop_s = start_s + sampling_period_s(times_s)
        return BestFrame(self.index.ids[row], similarity, start_s, stop_s, likely_s)

    def _blocks(self, rows: Int64Array, n_query_frames: int, limit: int) -> Iterator[slice]:
        """Stretches of ``rows``, cut where the frame pairs of a block would exceed ``limit``."""
        first = cells = 0
        for place, row in enumerate(rows):
            more = n_query_frames * self.index.n_frames(int(row))
            if place > first and cells + more > limit:
                yield slice(first, place)
                first, cells = place, 0
            cells += more
        if first < len(rows):
            yield slice(first, len(rows))
