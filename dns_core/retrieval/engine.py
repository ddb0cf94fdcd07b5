"""Searching an index: coarse scores for all, fine scores for the pairs that deserve them.

    coarse     every chunk's cosine with the query; in a large index those of a shortlist
    select     the policy orders the candidates, the budget says how many are re-ranked
    fine       the fine network compares the chosen ones
    rank       both kinds of score on one scale (see `Calibration`), ties by id
    localise   matched stretches of the answers that were compared finely

What is computed of each video alone is the work of `dns_core.retrieval.shards.Shards`.

Reference: DnS, IJCV 2022, section 3.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import cached_property

import numpy as np

from dns_core.errors import ParamsError
from dns_core.index.chunks import chunk_panes
from dns_core.index.encoded import EncodedVideo
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
from dns_core.retrieval.calibration import Standing, fine_level
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores
from dns_core.retrieval.encode import chunk_numbers, chunk_vectors, frame_spans
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.local_shards import LocalShards
from dns_core.retrieval.ranking import falling_order
from dns_core.retrieval.scorer import scorer_of
from dns_core.retrieval.selection import BySelector, Candidates, Policy, select
from dns_core.retrieval.shards import LIMITS, CoarseQuery, EngineLimits, Shards


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
        self.shards: Shards = LocalShards(index, bundle, fine, limits)
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
                chosen = select(self.policy, candidates, budget.count(self.shards.n_videos))
            rows = candidates.rows
            fine = np.full(len(rows), np.nan, dtype=np.float32)
            with _timed(timing_ms, "fine"):
                query = self.stretches(features) if len(chosen) else None
                if query:
                    fine[chosen] = self.fine_scores(query, rows[chosen], deadline_ms=budget.ms)
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
        return QueryResult(features.video_id, matches, self.coverage, timing_ms)

    @property
    def coverage(self) -> float:
        """Share in [0, 1] of the corpus that is searched; what is lost or could not be indexed is not."""
        n_videos = self.index.n_videos
        return self.index.coverage * (self.shards.n_videos / n_videos if n_videos else 1.0)

    def over(self, shards: Shards) -> "Engine":
        """The engine of the same index whose shards are elsewhere, or of those that are left."""
        other = copy(self)
        other.shards = shards
        return other

    def candidates(self, features: VideoFeatures, *, shortlisted: bool = False) -> Candidates:
        """Videos of the index as the coarse stage sees them.

        Args:
            features: as for `search`.
            shortlisted: only those near to the query; else every video.
        """
        spans = frame_spans(features, self._chunking)
        vectors = chunk_vectors(self.bundle.coarse, features, spans)
        numbers = chunk_numbers(self.bundle.selector(self.fine), features, spans)
        query = CoarseQuery(vectors, numbers, chunk_panes(features.times_s, spans))
        return self._candidates(query, shortlisted=shortlisted)

    def candidates_of(self, record: EncodedVideo, *, shortlisted: bool = False) -> Candidates:
        """As `candidates`, of a video that an index made by the same models holds."""
        query = CoarseQuery(record.coarse, record.numbers[self.fine], record.panes)
        return self._candidates(query, shortlisted=shortlisted)

    def _candidates(self, query: CoarseQuery, *, shortlisted: bool) -> Candidates:
        seen = self.shards.seen(query, shortlisted=shortlisted)
        background = self._background_coarse.scores(query.vectors, query.panes)
        return Candidates(seen.rows, seen.ids, seen.scores, seen.features, background)

    def stretches(self, features: VideoFeatures) -> ChunkedVideo:
        """A video as the fine network compares it with those of the index.

        Args:
            features: as for `search`.
        """
        return ChunkedVideo.of(self._scorer, features, self._chunking, self._merge_from)

    def fine_scores(
        self, query: ChunkedVideo, rows: Int64Array, *, deadline_ms: float | None = None
    ) -> Float32Array:
        """Raw fine scores ``[K]`` in [-1, 1] of the videos at ``rows``; NaN where time was over.

        Args:
            query: as `stretches` makes it.
            rows: ``[K]`` of the index, the most wanted first.
            deadline_ms: stop after the block during which so many milliseconds are over.
        """
        return self.shards.fine_scores(query, rows, deadline_ms=deadline_ms)

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
            fine: ``[V]`` fine scores of the candidates, NaN where there is none.
            standing: of the query.
        """
        scale = self.bundle.calibration.scale(self.fine)
        return scale.probabilities(scale.mixed(candidates.scores, fine, standing.shift), standing.level)

    def level(self, query: ChunkedVideo) -> float:
        """The raw fine score that a video reaches with the background, see `Standing`."""
        return fine_level(self._background_fine.scores(query))

    def pair_score(self, query: ChunkedVideo, target: ChunkedVideo, level: float) -> float:
        """Probability in (0, 1) that two videos match, compared finely; neither need be in the index.

        Args:
            query: as `stretches` makes it.
            target: likewise.
            level: of the query.
        """
        fine = chunked_scores(self._scorer, query, [target])
        return float(self.bundle.calibration.scale(self.fine).probabilities(fine, level)[0])

    def segments(self, query: ChunkedVideo, rows: Int64Array) -> dict[int, tuple[Segment, ...]]:
        """By row, the matched stretches of the videos at ``rows``.

        Args:
            query: as `stretches` makes it.
            rows: of the index.
        """
        return dict(zip(rows.tolist(), self.shards.segments(query, rows), strict=True))

    def _is_enough(self, top_k: int, budget: Budget) -> bool:
        """Whether a shortlist of a large index holds all that is to be compared finely and answered."""
        shortlist = self.limits.shortlist
        few = budget.ms is not None or budget.count(self.shards.n_videos) <= shortlist
        return few and 0 < top_k <= shortlist and self.shards.n_videos > self.limits.large_index

    @cached_property
    def _background_fine(self) -> BackgroundFine:
        return BackgroundFine(self._scorer, self.bundle.background)

    @cached_property
    def _background_coarse(self) -> BackgroundCoarse:
        return BackgroundCoarse(self.bundle.coarse, self.bundle.background)


@contextmanager
def _timed(timing_ms: dict[str, float], step: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timing_ms[step] = (time.perf_counter() - started) * 1000
