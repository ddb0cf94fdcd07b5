"""Paths of cells along which two videos match, by local alignment in the frame-frame matrix.

Cells score their similarity minus a threshold, and the best paths through the matrix are the matches
(Smith and Waterman, 1981; the slopes are those of dynamic time warping: a path may stand
still in one video while it continues in the other, so changed speed is followed).
"""

import numpy as np
import numpy.typing as npt

from dns_core.records import Float32Array, Int64Array
from dns_core.similarity.compiled import compiled

# Frames in a row, of both videos together, that a path may pass without a match: 3 that show something
# else in both, or 6 inserted in one. A flash or a title, not another scene.
_MAX_MISSES = 6
# What a step that stands still in one video costs, as a share of the most that a cell can win: steady
# speed is preferred, and a path does not creep over neighbours that are alike but less than the best.
_STANDSTILL_SHARE = 0.6
_MAX_PATHS = 32

_NONE, _DIAGONAL, _QUERY_STEP, _TARGET_STEP = 0, 1, 2, 3


def local_alignments(cells: Float32Array, threshold: float, min_frames: int) -> list[Int64Array]:
    """Paths ``[N, 2]`` (query frame, target frame), best first; none goes through another's rectangle.

    Args:
        cells: ``[Tq, Tt]`` similarity of frames, in [-1, 1], not empty.
        threshold: similarity from which frames count as showing the same.
        min_frames: that a path spans in both videos, at least.
    """
    taken = np.zeros(cells.shape, dtype=np.bool_)
    paths: list[Int64Array] = []
    for _ in range(_MAX_PATHS):
        path = _best_path(cells, taken, threshold)
        if not len(path):
            break
        (q0, t0), (q1, t1) = path[0], path[-1]
        taken[q0 : q1 + 1, t0 : t1 + 1] = True
        if min(q1 - q0, t1 - t0) + 1 >= min_frames and not any(repeats(path, kept) for kept in paths):
            paths.append(path)
    return paths


def repeats(path: Int64Array, other: Int64Array) -> bool:
    """Whether the rectangles of two paths share more than half of the smaller one."""
    sides = np.minimum(path[-1], other[-1]) - np.maximum(path[0], other[0]) + 1
    smaller = min(int(np.prod(one[-1] - one[0] + 1)) for one in (path, other))
    return bool((sides > 0).all() and 2 * np.prod(sides) > smaller)


@compiled
def _best_path(cells: Float32Array, taken: npt.NDArray[np.bool_], threshold: float) -> Int64Array:
    """``[N, 2]`` cells (query frame, target frame) of the best local path; empty if there is none.

    A diagonal step counts its cell twice, a step in one video once (Sakoe and Chiba's symmetric
    weights), so that a staircase gains nothing over a diagonal.
    """
    n_query, n_target = cells.shape
    cost = _STANDSTILL_SHARE * max(cells.max() - threshold, 0.0)
    total = np.zeros((n_query + 1, n_target + 1), dtype=np.float32)
    step = np.zeros((n_query + 1, n_target + 1), dtype=np.uint8)
    misses = np.zeros((n_query + 1, n_target + 1), dtype=np.uint8)
    best, end_query, end_target = 0.0, 0, 0
    for q in range(1, n_query + 1):
        for t in range(1, n_target + 1):
            if taken[q - 1, t - 1]:
                continue
            gain = cells[q - 1, t - 1] - threshold
            value, kind, missed = total[q - 1, t - 1] + 2 * gain, _DIAGONAL, misses[q - 1, t - 1] + 2
            up, left = total[q - 1, t], total[q, t - 1]
            held = gain - cost
            # Only a path that exists may stand still: a new one begins with a whole cell.
            if up > 0 and up + held > value:
                value, kind, missed = up + held, _QUERY_STEP, misses[q - 1, t] + 1
            if left > 0 and left + held > value:
                value, kind, missed = left + held, _TARGET_STEP, misses[q, t - 1] + 1
            if gain >= 0:
                missed = 0
            if value <= 0 or missed > _MAX_MISSES:
                continue
            total[q, t], step[q, t], misses[q, t] = value, kind, missed
            if value > best:
                best, end_query, end_target = value, q, t
    return _traced(step, end_query, end_target)


@compiled
def _traced(step: npt.NDArray[np.uint8], q: int, t: int) -> Int64Array:
    """The path that ends at (q, t) of ``step``, first cell first, in indices of cells."""
    path = np.empty((q + t, 2), dtype=np.int64)
    length = 0
    while step[q, t] != _NONE:
        path[length, 0], path[length, 1] = q - 1, t - 1
        length += 1
        kind = step[q, t]
        if kind != _TARGET_STEP:
            q -= 1
        if kind != _QUERY_STEP:
            t -= 1
    return path[:length][::-1].copy()
