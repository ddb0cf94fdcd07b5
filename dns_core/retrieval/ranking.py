"""From scores of chunk pairs to a ranked list of videos."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dns_core.records import Float32Array, Float64Array, Int64Array

_QUERY_CHUNKS = 2
# Networks round differently in batches of different size, by some 1e-8. Without this, copies of one
# video that fall in different batches would be ordered by that, and not by their ids.
_DECIMALS = 6


def video_scores(
    chunk_scores: Float32Array, offsets: Int64Array, panes: Int64Array | None = None
) -> Float32Array:
    """``[V]``: the mean over the two best query chunks of each one's best target chunk, in the best pane.

    A short match in a long target counts in full: no mean is ever taken over target chunks (the
    reference does, which moved one pair from .52 to -.15). Two query chunks rather than one, because
    one is what videos with the same intro share; rather than all, because a long query that holds one
    copied stretch should still find it. A query of one chunk has its best target chunk's score. Scores
    are rounded to 6 decimals: what is beyond is noise of arithmetic, and equal videos should tie.
    Panes of the target are chunks like others; of the query's panes the best one decides.

    Args:
        chunk_scores: ``[Q, C]``, a row a query chunk; Q is 1 or more.
        offsets: ``[V + 1]``: the chunks of video ``v`` are columns ``[v]`` to ``[v + 1]``, at least one.
        panes: ``[Q]`` the pane of each query chunk; all are of one if None.
    """
    if len(offsets) < 2:
        return np.empty(0, dtype=np.float32)
    best = np.maximum.reduceat(chunk_scores, offsets[:-1], axis=1)
    by_pane = [best] if panes is None else [best[panes == pane] for pane in np.unique(panes)]
    scores: Float64Array = np.max([_mean_of_best(rows) for rows in by_pane], axis=0)
    return scores.round(_DECIMALS).astype(np.float32)


def _mean_of_best(rows: Float32Array) -> Float64Array:
    kept = min(_QUERY_CHUNKS, len(rows))
    top = np.partition(rows, len(rows) - kept, axis=0)[len(rows) - kept :]
    mean: Float64Array = top.mean(axis=0, dtype=np.float64)
    return mean


def best_pairs(chunk_scores: Float32Array, offsets: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Query chunk and target chunk ``[V]`` of each video's best pair; the first if several are.

    Args:
        chunk_scores: as for `video_scores`.
        offsets: as for `video_scores`.
    """
    if len(offsets) < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    column_best = chunk_scores.max(axis=0)
    best = np.maximum.reduceat(column_best, offsets[:-1])
    winners = np.flatnonzero(column_best == np.repeat(best, np.diff(offsets)))
    columns = winners[np.searchsorted(winners, offsets[:-1])]
    return chunk_scores[:, columns].argmax(axis=0), columns


def falling_order(scores: npt.NDArray[np.floating], ids: Sequence[str]) -> Int64Array:
    """Positions by falling score; ties by id, so that a ranking never depends on how videos are stored."""
    return np.lexsort((id_ranks(ids), -scores)).astype(np.int64)


def id_ranks(ids: Sequence[str]) -> Int64Array:
    """``[V]``: the place of each id among all, in the order of strings."""
    ranks = np.empty(len(ids), dtype=np.int64)
    ranks[sorted(range(len(ids)), key=ids.__getitem__)] = np.arange(len(ids))
    return ranks
