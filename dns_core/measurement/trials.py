"""Every way to search the database, tried on every query: rankings, seconds and bytes."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from dns_core.index.reader import Index
from dns_core.measurement.timing import Timing
from dns_core.records import GroundTruth, Segment, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.local_shards import LocalShards
from dns_core.retrieval.localisation import PathFinder
from dns_core.retrieval.scorer import scorer_of
from dns_core.retrieval.selection import ByChance, ByCoarseScore, ByDoubt, BySelector, Policy, select
from dns_core.store.feature_store import FeatureStore
from dns_core.store.index_parts import bytes_read

TIMED_REPEATS = 5
"""How often each way to search is timed, in turns with the others."""
_TIMED_QUERIES = 5

Rankings = dict[str, list[tuple[str, float]]]
Segments = dict[str, dict[str, tuple[Segment, ...]]]


@dataclass(frozen=True, slots=True)
class Trial:
    """What one way to search gave.

    Attributes:
        rankings: whole, by query.
        seconds_per_query: median.
        range_s: of it when it was measured several times: the least and the most.
    """

    rankings: Rankings
    seconds_per_query: float
    range_s: tuple[float, float]

    def timed(self, timing: Timing) -> Self:
        """The same rankings, with seconds that were measured several times."""
        return replace(self, seconds_per_query=timing.median_s, range_s=(timing.least_s, timing.most_s))


def teacher_trial(bundle: Bundle, index: Index, database: FeatureStore, queries: FeatureStore) -> Trial:
    """The teacher compared with every video, from features in memory: the slow, exact search."""
    scorer = scorer_of(bundle.fine("teacher"))
    chunking = IndexSettings.of(index.manifest).chunking

    def stretches(video: VideoFeatures) -> ChunkedVideo:
        return ChunkedVideo.of(scorer, video, chunking)

    targets = {video_id: stretches(database.read(video_id)) for video_id in database.ids}

    def search(query: VideoFeatures) -> list[tuple[str, float]]:
        scores = chunked_scores(scorer, stretches(query), list(targets.values()))
        return [(video_id, float(score)) for video_id, score in zip(targets, scores, strict=True)]

    return _timed_trial(search, queries)


def engine_trial(engine: Engine, queries: FeatureStore, budget: float) -> Trial:
    """The engine with ``budget`` of the candidates re-ranked, from whitened features to ranking."""

    def search(query: VideoFeatures) -> list[tuple[str, float]]:
        result = engine.search(query, top_k=0, budget=Budget(share=budget))
        return [(match.video_id, match.score) for match in result.results]

    return _timed_trial(search, queries)


def timed_queries(queries: FeatureStore) -> list[VideoFeatures]:
    """A few queries, evenly spread over the lengths that there are: what is timed in turns."""
    by_length = sorted((queries.read(query_id) for query_id in queries.ids), key=lambda q: len(q.times_s))
    places = np.linspace(0, len(by_length) - 1, min(_TIMED_QUERIES, len(by_length)))
    return [by_length[round(place)] for place in places]


def ask_all(engine: Engine, queries: Sequence[VideoFeatures], budget: float) -> None:
    """Ask every query for its best answers, as a user does."""
    for query in queries:
        engine.search(query, budget=Budget(share=budget))


def found_segments(
    engine: Engine, queries: FeatureStore, budget: float, *, top_k: int, at_least: float
) -> Segments:
    """Matched stretches of those of the ``top_k`` answers to each query that score ``at_least`` so much."""
    found: Segments = {}
    for query_id in queries.ids:
        result = engine.search(queries.read(query_id), top_k=top_k, budget=Budget(share=budget))
        found[query_id] = {m.video_id: m.segments for m in result.results if m.score >= at_least}
    return found


def located_segments(
    engine: Engine, queries: FeatureStore, truth: GroundTruth, finder: PathFinder
) -> Segments:
    """Matched stretches of every pair whose true ones are known, by one way to find them."""
    rows = {video_id: row for row, video_id in enumerate(engine.index.ids)}
    shards = LocalShards(engine.index, engine.bundle, engine.fine)
    found: Segments = {}
    for query_id, by_video in truth.segments.items():
        known = [video_id for video_id in by_video if video_id in rows]
        chosen = np.array([rows[video_id] for video_id in known], dtype=np.int64)
        located = shards.segments(engine.stretches(queries.read(query_id)), chosen, finder)
        found[query_id] = dict(zip(known, located, strict=True))
    return found


def policies(engine: Engine, seed: int) -> dict[str, Policy]:
    """The selector and the three simple policies that it must beat at equal budget.

    The threshold of doubt is the coarse score at which a match is as likely as not.
    """
    return {
        "selector": BySelector(engine.bundle.selector(engine.fine)),
        "random": ByChance(seed),
        "highest coarse score": ByCoarseScore(),
        "coarse score nearest a threshold": ByDoubt(engine.bundle.calibration.scale(engine.fine).undecided),
    }


class ComparedFully:
    """Queries of which every pair was compared finely once, to be ranked by many policies and budgets.

    Args:
        engine: what is asked.
        queries: all of them are asked.

    Attributes:
        engine: likewise.
        candidates: by query, what the coarse stage sees.
        stretches: by query, what the fine network compares.
        fine: by query, the fine scores ``[V]`` of all videos.
    """

    def __init__(self, engine: Engine, queries: FeatureStore) -> None:
        self.engine = engine
        videos = {query_id: queries.read(query_id) for query_id in queries.ids}
        self.candidates = {query_id: engine.candidates(video) for query_id, video in videos.items()}
        self.stretches = {query_id: engine.stretches(video) for query_id, video in videos.items()}
        everything = np.arange(engine.index.n_videos, dtype=np.int64)
        self.fine = {
            query_id: engine.fine_scores(query, everything) for query_id, query in self.stretches.items()
        }
        self._standings = {
            query_id: [engine.standing(self.candidates[query_id], query) for query in (None, stretch)]
            for query_id, stretch in self.stretches.items()
        }

    def rankings(self, by_query: Mapping[str, Policy], budget: float) -> Rankings:
        """Whole rankings with a share re-ranked, as a search gives them.

        Args:
            by_query: what decides for each query.
            budget: the share.
        """
        count = Budget(share=budget).count(self.engine.index.n_videos)
        rankings: Rankings = {}
        for query_id, seen in self.candidates.items():
            chosen = np.full(len(seen.ids), np.nan, dtype=np.float32)
            rows = select(by_query[query_id], seen, count)
            chosen[rows] = self.fine[query_id][rows]
            scores = self.engine.calibrated(seen, chosen, self._standings[query_id][count > 0])
            rankings[query_id] = [(i, float(s)) for i, s in zip(seen.ids, scores, strict=True)]
        return rankings


def policy_rankings(
    engine: Engine, queries: FeatureStore, budgets: Sequence[float], seed: int
) -> Iterator[tuple[str, float, Rankings]]:
    """Yield policy, budget and rankings; fine scores are computed once for all of them."""
    compared = ComparedFully(engine, queries)
    for name, policy in policies(engine, seed).items():
        for budget in budgets:
            yield name, budget, compared.rankings(dict.fromkeys(queries.ids, policy), budget)


def bytes_on_disk(index: Index, fine: str | None) -> int:
    """Bytes of the index's files that a search reads: with one fine network, or of the coarse stage."""
    return round(bytes_read(index.manifest.parts, fine))


def _timed_trial(search: Callable[[VideoFeatures], list[tuple[str, float]]], queries: FeatureStore) -> Trial:
    """One untimed search first, which compiles kernels and maps files; then each query once."""
    search(queries.read(queries.ids[0]))
    rankings: Rankings = {}
    seconds: list[float] = []
    for query_id in queries.ids:
        query = queries.read(query_id)
        started = time.perf_counter()
        rankings[query_id] = search(query)
        seconds.append(time.perf_counter() - started)
    median_s = float(np.median(seconds))
    return Trial(rankings, median_s, (median_s, median_s))
