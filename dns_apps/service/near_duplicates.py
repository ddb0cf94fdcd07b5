"""Groups of near-duplicates among the videos of an index, found by the index's own coarse vectors."""

import threading
from collections.abc import Callable, Iterator

import numpy as np
from scipy.cluster.hierarchy import DisjointSet

from dns_apps.service.live_index import LoadedIndex
from dns_core.index import Index
from dns_core.records import Int64Array

SIMILARITY = 0.9
"""Cosine of two chunks from which their videos are taken for near-duplicates."""
_BLOCK = 128
_PATIENCE_S = 2.0


class NearDuplicateFinder:
    """Looks for groups in the background, once a version of the index.

    Args:
        compute: bounds the computations at a time; taken for each block, so that queries get their turn.
    """

    def __init__(self, compute: threading.Semaphore) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._search: _Search | None = None
        self._closed = threading.Event()

    def groups(self, loaded: LoadedIndex) -> tuple[float, tuple[tuple[str, ...], ...]]:
        """Share in [0, 1] of the search that is done, and the groups once it is 1, the largest first.

        The first request waits a moment: a small index is searched by then.
        """
        with self._lock:
            search = self._search
            if search is None or search.loaded is not loaded or search.failed:
                search = self._search = _Search(loaded, self._compute, self._is_stale)
                search.start()
        search.join(_PATIENCE_S)
        return search.progress, search.found

    def close(self) -> None:
        """Nothing is looked for any more."""
        self._closed.set()
        if self._search is not None:
            self._search.join()

    def _is_stale(self, search: "_Search") -> bool:
        return self._closed.is_set() or self._search is not search


class _Search(threading.Thread):
    def __init__(
        self, loaded: LoadedIndex, compute: threading.Semaphore, is_stale: Callable[["_Search"], bool]
    ) -> None:
        super().__init__(name="alike", daemon=True)
        self.loaded = loaded
        self.progress = 0.0
        self.failed = False
        self.found: tuple[tuple[str, ...], ...] = ()
        self._compute = compute
        self._is_stale = is_stale

    def run(self) -> None:
        try:
            self._look()
        except BaseException:  # the next request starts again
            self.failed = True
            raise

    def _look(self) -> None:
        index = self.loaded.index
        groups = DisjointSet(range(index.n_videos))
        for done, pairs in _alike_pairs(index, self._compute):
            if self._is_stale(self):
                return
            for one, other in pairs.tolist():
                groups.merge(one, other)
            self.progress = min(done, 0.999)
        self.found = _named(groups, index.ids)
        self.progress = 1.0


def _alike_pairs(index: Index, compute: threading.Semaphore) -> Iterator[tuple[float, Int64Array]]:
    """The share that is done, and ``[P, 2]`` rows of videos with chunks that are alike, block by block."""
    if not index.n_videos:
        return
    vectors = np.concatenate([index.record(row).coarse for row in range(index.n_videos)])
    owner = np.repeat(np.arange(index.n_videos), np.diff(index.chunk_offsets))
    for start in range(0, len(vectors), _BLOCK):
        with compute:
            near = vectors[start : start + _BLOCK] @ vectors[start:].T >= SIMILARITY
        one, other = np.nonzero(near)
        pairs = np.stack([owner[start + one], owner[start + other]], axis=1)
        yield min(1.0, (start + _BLOCK) / len(vectors)), np.unique(pairs, axis=0)


def _named(groups: DisjointSet, ids: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Groups of two videos or more by their sorted ids, the largest first."""
    found = [tuple(sorted(ids[row] for row in rows)) for rows in groups.subsets() if len(rows) > 1]
    return tuple(sorted(found, key=lambda videos: (-len(videos), videos)))
