"""The two halves of a search: what is computed of each video alone, and what needs all of them.

The first half may run wherever the shards of an index are, in one process or on many machines (`Shards`). The
second, in `dns_core.retrieval.engine`, sees the numbers of all candidates: selector, budget, ranking. So a
search in parts gives what a search of the whole index gives.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from dns_core.records import Float32Array, Int64Array, Segment
from dns_core.retrieval.chunked_video import ChunkedVideo

_R = TypeVar("_R")
Segments = tuple[Segment, ...]


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


N_LIKELY = 16
"""Moments of a video at which a picture may have been taken, of which a shard tells."""

LIMITS = EngineLimits()
"""The limits of every engine but those of tests."""


@dataclass(frozen=True, slots=True)
class CoarseQuery:
    """A query as the coarse stage compares it.

    Attributes:
        vectors: ``[Q, E]`` of its chunks.
        numbers: ``[Q]`` the selector's.
        panes: ``[Q]`` the pane of each chunk.
    """

    vectors: Float32Array
    numbers: Float32Array
    panes: Int64Array


@dataclass(frozen=True, slots=True)
class Seen:
    """Videos as the coarse stage sees them.

    Attributes:
        rows: ``[V]``, increasing.
        ids: ``[V]``.
        scores: ``[V]`` coarse scores.
        features: ``[V, 3]`` what the selector reads, see `dns_core.retrieval.selection.Candidates`.
        best: ``[Q, V]`` the cosine of each query chunk with the nearest chunk of each video; None if every
            video was looked at.
        nearest: ``[Q, N]`` the highest cosines of each query chunk with chunks, up to a shortlist's length;
            None likewise.
    """

    rows: Int64Array
    ids: Sequence[str]
    scores: Float32Array
    features: Float32Array
    best: Float32Array | None = None
    nearest: Float32Array | None = None

    def cut(self, count: int) -> "Seen":
        """The videos that have one of the ``count`` chunks nearest to a query chunk, or one as near.

        The rest of ties stays, so that the outcome does not depend on how videos are spread over shards.
        """
        if self.best is None or self.nearest is None:
            return self
        nearest = self.nearest
        if nearest.shape[1] > count:
            nearest = np.partition(nearest, -count, axis=1)[:, -count:]
        if nearest.shape[1] < count:
            return self
        kept = np.flatnonzero((self.best >= nearest.min(axis=1, keepdims=True)).any(axis=0))
        ids = tuple(self.ids[place] for place in kept.tolist())
        return Seen(self.rows[kept], ids, self.scores[kept], self.features[kept], self.best[:, kept], nearest)


@dataclass(frozen=True, slots=True)
class BestFrame:
    """The frame of a video that is most like a picture.

    Attributes:
        video_id: of the video.
        similarity: in [-1, 1].
        start_s: its time.
        stop_s: the time of the next one.
        likely_s: times of the frames that are most like it, the likeliest first; at most `N_LIKELY`.
    """

    video_id: str
    similarity: float
    start_s: float
    stop_s: float
    likely_s: tuple[float, ...]


class Shards(Protocol):
    """Shards of an index, wherever they are. Rows number their live videos from 0."""

    @property
    def n_videos(self) -> int:
        """Live videos."""
        ...

    def seen(self, query: CoarseQuery, *, shortlisted: bool) -> Seen:
        """Every video as the coarse stage sees it, or a shortlist of those near to the query."""
        ...

    def fine_scores(
        self, query: ChunkedVideo, rows: Int64Array, *, deadline_ms: float | None = None
    ) -> Float32Array:
        """Raw fine scores ``[K]`` in [-1, 1] of the videos at ``rows``; NaN where time was over.

        Args:
            query: as `dns_core.retrieval.engine.Engine.stretches` makes it.
            rows: ``[K]``, the most wanted first.
            deadline_ms: stop after the block during which so many milliseconds are over.
        """
        ...

    def segments(self, query: ChunkedVideo, rows: Int64Array) -> list[Segments]:
        """Matched stretches ``[K]`` of the videos at ``rows``."""
        ...

    def best_frames(self, picture: ChunkedVideo, top_k: int) -> list[BestFrame]:
        """The ``top_k`` videos most like a picture, or all if 0; ties by id."""
        ...

    def without(self, names: Sequence[str]) -> "Shards":
        """The other shards, where those of ``names`` are lost."""
        ...


def one_after_the_other(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Results of calls, computed in turn."""
    return [call() for call in calls]


class ShardGroups:
    """Groups of shards as one: each step is asked of all groups, and the answers are put together.

    Args:
        groups: by the names of their shards, in the order of the index.
        count: chunks of a shortlist near to each chunk of the query.
        ask: computes calls, possibly side by side.
    """

    def __init__(
        self,
        groups: Sequence[tuple[tuple[str, ...], Shards]],
        count: int = LIMITS.shortlist,
        ask: Callable[[Sequence[Callable[[], Any]]], list[Any]] = one_after_the_other,
    ) -> None:
        self._groups = groups
        self._count = count
        self._ask = ask
        self._first = np.cumsum([0, *(group.n_videos for _, group in groups)])

    @property
    def n_videos(self) -> int:
        """Live videos of all groups."""
        return int(self._first[-1])

    def seen(self, query: CoarseQuery, *, shortlisted: bool) -> Seen:
        """As one index: a shortlist is cut to the nearest of all groups."""
        found: list[Seen] = self._ask(
            [partial(group.seen, query, shortlisted=shortlisted) for _, group in self._groups]
        )
        together = Seen(
            np.concatenate([part.rows + first for part, first in zip(found, self._first, strict=False)]),
            tuple(video_id for part in found for video_id in part.ids),
            np.concatenate([part.scores for part in found]),
            np.concatenate([part.features for part in found]),
        )
        if not shortlisted:
            return together
        best = np.concatenate([part.best for part in found if part.best is not None], axis=1)
        nearest = np.concatenate([part.nearest for part in found if part.nearest is not None], axis=1)
        return replace(together, best=best, nearest=nearest).cut(self._count)

    def fine_scores(
        self, query: ChunkedVideo, rows: Int64Array, *, deadline_ms: float | None = None
    ) -> Float32Array:
        """As one index; each group has the whole time."""
        scores = np.full(len(rows), np.nan, dtype=np.float32)

        def step(group: Shards, local: Int64Array) -> Float32Array:
            return group.fine_scores(query, local, deadline_ms=deadline_ms)

        for places, found in self._of_rows(rows, step):
            scores[places] = found
        return scores

    def segments(self, query: ChunkedVideo, rows: Int64Array) -> list[Segments]:
        """As one index."""
        segments: list[Segments] = [()] * len(rows)
        for places, found in self._of_rows(rows, lambda group, local: group.segments(query, local)):
            for place, one in zip(places, found, strict=True):
                segments[place] = one
        return segments

    def best_frames(self, picture: ChunkedVideo, top_k: int) -> list[BestFrame]:
        """As one index."""
        found = self._ask([partial(group.best_frames, picture, top_k) for _, group in self._groups])
        frames = sorted((one for part in found for one in part), key=lambda f: (-f.similarity, f.video_id))
        return frames[: top_k or len(frames)]

    def without(self, names: Sequence[str]) -> "ShardGroups":
        """The groups that have none of the shards of ``names``."""
        kept = [group for group in self._groups if not set(group[0]) & set(names)]
        return ShardGroups(kept, self._count, self._ask)

    def _of_rows(
        self, rows: Int64Array, step: Callable[[Shards, Int64Array], _R]
    ) -> list[tuple[Int64Array, _R]]:
        """What each group that has some of the rows says of them, and their places."""
        owners = np.searchsorted(self._first, rows, side="right") - 1
        wanted = [(owner, np.flatnonzero(owners == owner)) for owner in np.unique(owners).tolist()]
        calls = [
            partial(step, self._groups[owner][1], rows[places] - self._first[owner])
            for owner, places in wanted
        ]
        return list(zip((places for _, places in wanted), self._ask(calls), strict=True))
