"""Searching an index: coarse scores for all, fine scores for the pairs that deserve them.

    coarse     every chunk's cosine with the query; in a large index those of a shortlist
    select     the policy orders the candidates, the budget says how many are re-ranked
    fine       the fine network compares the chosen ones
    rank       both kinds of score on one scale (see `Calibration`), ties by id
    localise   matched stretches of the answers that were compared finely

Reference: DnS, IJCV 2022, section 3.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dns_core.errors import ParamsError
from dns_core.index.chunks import chunk_panes
from dns_core.index.encoded import EncodedVideo
from dns_core.index.npy_stream import AnyArray
from dns_core.index.reader import Index
from dns_core.records import (
    Float32Array,
    Float64Array,
    Int64Array,
    Match,
    QueryResult,
    ResultStage,
    Segment,
    VideoFeatures,
)
from dns_core.retrieval.background_scores import BackgroundCoarse, BackgroundFine
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.calibration import Standing
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores, pair_segments
from dns_core.retrieval.encode import chunk_numbers, chunk_vectors, frame_spans
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.localisation import PathFinder
from dns_core.retrieval.ranking import best_pairs, falling_order, video_scores
from dns_core.retrieval.scorer import scorer_of
from dns_core.retrieval.selection import BySelector, Candidates, Policy, select
from dns_core.retrieval.temporal_network import temporal_network


@dataclass(frozen=True, slots=True)
class EngineLimits:
    """How much an engine handles at once.

    Attributes:
        timed_block_cells: frame pairs compared before the clock is read: about four pairs of videos of 90
            frames, some 10 ms.
        block_cells: of a search without a clock: the matrices of a block take 16 MB.
        large_index: videos of the largest index that is compared whole; beyond it a shortlist is taken,
            unless more is to be re-ranked than it holds.
        shortlist: chunks near to each chunk of the query.
    """

    timed_block_cells: int = 1 << 15
    block_cells: int = 1 << 22
    large_index: int = 100_000
    shortlist: int = 2_000


LIMITS = EngineLimits()
"""The limits of every engine but those of tests."""


class Engine:
    """Answers queries from one version of an index.

    Args:
        index: opened for reading.
        bundle: the models that made it; only the networks that the search uses are read.
        fine: the fine network that re-ranks.
        policy: what decides which candidates are re-ranked; the bundle's selector if None.
        limits: how much it handles at once.

    Raises:
        MismatchError: other models made the index; the error names both fingerprints.
        InputError: there is no fine network of that name.
    """

    def __init__(
        self,
        index: Index,
        bundle: Bundle,
        *,
        fine: str = "fine_binary",
        policy: Policy | None = None,
        limits: EngineLimits = LIMITS,
    ) -> None:
        index.manifest.check_models(bundle.index_models((fine,)))
        settings = IndexSettings.of(index.manifest)
        self.index = index
        self.bundle = bundle
        self.fine = fine
        self.limits = limits
        self.policy = policy or BySelector(bundle.selector(fine))
        self._scorer = scorer_of(bundle.fine(fine))
        self._chunking = settings.chunking
        self._merge_from = settings.merge_from

    def search(self, features: VideoFeatures, *, top_k: int = 10, budget: Budget) -> QueryResult:
        """The ranked answers to one query.

        Args:
            features: whitened, at least one frame; sampled as the indexed videos were.
            top_k: answers wanted; 0 ranks the whole index and localises nothing.
            budget: how much re-ranking to do.

        Raises:
            InputError: the query has no frame, or ``top_k`` is negative (a ParamsError).
            CorruptArtefactError: a file of the index cannot be read.
        """
        if top_k < 0:
            raise ParamsError(f"top_k must be 0 (all) or more, got {top_k}")
        timing_ms: dict[str, float] = {}
        with _timed(timing_ms, "total"):
            with _timed(timing_ms, "coarse"):
                candidates = self.candidates(features, shortlisted=self._is_enough(top_k, budget))
            with _timed(timing_ms, "select"):
                chosen = select(self.policy, candidates, budget.count(self.index.n_videos))
            rows = candidates.rows
            fine = np.full(len(rows), np.nan, dtype=np.float32)
            with _timed(timing_ms, "fine"):
                query = self.stretches(features) if len(chosen) else None
                if query:
                    fine = self.fine_scores(query, rows[chosen], deadline_ms=budget.ms)[rows]
                standing = self.standing(candidates, query)
            scores = self.calibrated(candidates, fine, standing)
            order = falling_order(scores, candidates.ids)
            with _timed(timing_ms, "localise"):
                wanted = order[:top_k] if top_k else order[:0]
                compared = rows[wanted[~np.isnan(fine[wanted])]]
                segments = self.segments(query, compared) if query else {}

        def match(row: int) -> Match:
            stage: ResultStage = "coarse" if np.isnan(fine[row]) else "fine"
            return Match(candidates.ids[row], float(scores[row]), stage, segments.get(int(rows[row]), ()))

        matches = tuple(match(row) for row in (order[:top_k] if top_k else order))
        return QueryResult(features.video_id, matches, self.index.coverage, timing_ms)

    def candidates(self, features: VideoFeatures, *, shortlisted: bool = False) -> Candidates:
        """Videos of the index as the coarse stage sees them.

        Args:
            features: as for `search`.
            shortlisted: only those near to the query; else every video.
        """
        spans = frame_spans(features, self._chunking)
        vectors = chunk_vectors(self.bundle.coarse, features, spans)
        numbers = chunk_numbers(self.bundle.selector(self.fine), features, spans)
        return self._candidates(
            vectors, numbers, chunk_panes(features.times_s, spans), shortlisted=shortlisted
        )

    def candidates_of(self, record: EncodedVideo, *, shortlisted: bool = False) -> Candidates:
        """As `candidates`, of a video that an index made by the same models holds."""
        numbers = record.numbers[self.fine]
        return self._candidates(record.coarse, numbers, record.panes, shortlisted=shortlisted)

    def stretches_of(self, record: EncodedVideo) -> ChunkedVideo:
        """As `stretches`, of a video that an index made by the same models holds."""
        length_s = record.probe.duration_s if record.probe else None
        return ChunkedVideo(record.frames[self.fine], record.times_s, record.spans, length_s)

    def _candidates(
        self, vectors: Float32Array, query_numbers: Float32Array, panes: Int64Array, *, shortlisted: bool
    ) -> Candidates:
        if shortlisted:
            rows = np.unique(self.index.nearest(vectors, self.limits.shortlist))
            chunks, offsets = self.index.chunks_of(rows)
            chunk_scores = self.index.coarse_scores(vectors, chunks)
            ids = tuple(self.index.ids[row] for row in rows)
            numbers = self.index.numbers(self.fine, chunks)
        else:
            rows, offsets = np.arange(self.index.n_videos), self.index.chunk_offsets
            chunk_scores = self.index.coarse_scores(vectors)
            ids, numbers = self.index.ids, self.index.numbers(self.fine)
        query_chunk, target_chunk = best_pairs(chunk_scores, offsets)
        columns = query_numbers[query_chunk], numbers[target_chunk], chunk_scores[query_chunk, target_chunk]
        table = np.stack(columns, axis=1).astype(np.float32)
        background = self._background_coarse.scores(vectors, panes)
        return Candidates(rows, ids, video_scores(chunk_scores, offsets, panes), table, background)

    def stretches(self, features: VideoFeatures) -> ChunkedVideo:
        """A video as the fine network compares it with those of the index.

        Args:
            features: as for `search`.
        """
        return ChunkedVideo.of(self._scorer, features, self._chunking, self._merge_from)

    def matrices(self, query: ChunkedVideo, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """Similarity of frames ``[Tq, Tt]`` in [-1, 1] of a query with each of the stored ``targets``."""
        return self._scorer.matrices(query.frames, targets)

    def fine_scores(
        self, query: ChunkedVideo, rows: Int64Array, *, deadline_ms: float | None = None
    ) -> Float32Array:
        """``[V]`` raw fine scores in [-1, 1] of the videos at ``rows``, NaN elsewhere.

        Args:
            query: as `stretches` makes it.
            rows: of the index, the most wanted first.
            deadline_ms: stop after the block during which so many milliseconds are over.
        """
        scores = np.full(self.index.n_videos, np.nan, dtype=np.float32)
        if not len(rows):
            return scores
        started = time.perf_counter()
        limit = self.limits.block_cells if deadline_ms is None else self.limits.timed_block_cells
        for block in self._blocks(rows, len(query.times_s), limit):
            targets = [self.stretches_of(self.index.record(int(row))) for row in block]
            scores[block] = chunked_scores(self._scorer, query, targets)
            if deadline_ms is not None and (time.perf_counter() - started) * 1000 >= deadline_ms:
                break
        return scores

    def standing(self, candidates: Candidates, query: ChunkedVideo | None) -> Standing:
        """How high a query scores with the background.

        Args:
            candidates: as `candidates` returns.
            query: as `stretches` makes it; None if nothing is compared finely.
        """
        fine = self._background_fine.scores(query) if query else None
        return self.bundle.calibration.scale(self.fine).standing(candidates.background, fine)

    def calibrated(self, candidates: Candidates, fine: Float32Array, standing: Standing) -> Float64Array:
        """``[V]`` probabilities of a match in (0, 1), on one scale for both stages (see `Scale`).

        Args:
            candidates: as `candidates` returns.
            fine: ``[V]`` what `fine_scores` returns of the candidates.
            standing: of the query.
        """
        scale = self.bundle.calibration.scale(self.fine)
        return scale.probabilities(scale.mixed(candidates.scores, fine, standing.shift), standing.level)

    def segments(
        self, query: ChunkedVideo, rows: Int64Array, finder: PathFinder = temporal_network
    ) -> dict[int, tuple[Segment, ...]]:
        """By row, the matched stretches of the videos at ``rows``.

        Args:
            query: as `stretches` makes it.
            rows: of the index.
            finder: of matching cells.
        """
        threshold = self.bundle.calibration.frame_threshold(self.fine)
        found: dict[int, tuple[Segment, ...]] = {}
        for row in rows:
            record = self.index.record(int(row))
            found[int(row)] = pair_segments(
                self._scorer, query, self.stretches_of(record), threshold=threshold, finder=finder
            )
        return found

    def _is_enough(self, top_k: int, budget: Budget) -> bool:
        """Whether a shortlist of a large index holds all that is to be compared finely and answered."""
        shortlist = self.limits.shortlist
        few = budget.ms is not None or budget.count(self.index.n_videos) <= shortlist
        return few and 0 < top_k <= shortlist and self.index.n_videos > self.limits.large_index

    @cached_property
    def _background_fine(self) -> BackgroundFine:
        return BackgroundFine(self._scorer, self.bundle.background)

    @cached_property
    def _background_coarse(self) -> BackgroundCoarse:
        return BackgroundCoarse(self.bundle.coarse, self.bundle.background)

    def _blocks(self, rows: Int64Array, n_query_frames: int, limit: int) -> Iterator[Int64Array]:
        """Rows in order, cut where the frame pairs of a block would exceed ``limit``."""
        block: list[int] = []
        cells = 0
        for row in rows:
            more = n_query_frames * self.index.n_frames(int(row))
            if block and cells + more > limit:
                yield np.array(block, dtype=np.int64)
                block, cells = [], 0
            block.append(int(row))
            cells += more
        if block:
            yield np.array(block, dtype=np.int64)


@contextmanager
def _timed(timing_ms: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timing_ms[step] = (time.perf_counter() - started) * 1000
