"""Paths of cells along which two videos match, by the temporal network.

Reference: Tan et al., "Scalable detection of partial near-duplicate videos by visual-temporal consistency",
ACM Multimedia 2009. Ours is that passing frames costs, so that chance matches are not strung together.
"""

import numpy as np

from dns_core.records import Float32Array, Int64Array
from dns_core.retrieval.alignment import repeats
from dns_core.similarity.compiled import compiled

# Target frames that each query frame may match: the nodes of the network.
_TOP_FRAMES = 5
# Frames that an edge may reach forward in either video.
_LONGEST_EDGE = 10
# What a frame costs that an edge passes, as a share of the most that a match can win.
_PASSING_SHARE = 0.1
# A path must win as much as this share of the shortest one would at full similarity.
_LEAST_SHARE = 0.67
_MAX_PATHS = 32


def temporal_network(cells: Float32Array, threshold: float, min_frames: int) -> list[Int64Array]:
    """Paths ``[N, 2]`` (query frame, target frame), best first.

    Each query frame offers its most similar target frames, and a path is the sequence of such matches that
    wins most: similarity above the threshold, less what the frames cost that it passes. It goes forward in
    both videos by a few frames at a time. The rectangle that it crossed is taken away before the next one is
    looked for.

    Args:
        cells: ``[Tq, Tt]`` similarity of frames, in [-1, 1], not empty.
        threshold: similarity from which frames count as showing the same.
        min_frames: that a path spans in both videos, at least.
    """
    nodes = _nodes(cells, threshold)
    gains = cells[nodes[:, 0], nodes[:, 1]] - threshold
    most = float(gains.max(initial=0.0))
    paths: list[Int64Array] = []
    for _ in range(_MAX_PATHS):
        path, won = _heaviest_path(nodes, gains, _PASSING_SHARE * most)
        if won <= _LEAST_SHARE * min_frames * most:
            break
        first, last = path[0], path[-1]
        if (last - first).min() + 1 >= min_frames and not any(repeats(path, other) for other in paths):
            paths.append(path)
        free = ((nodes < first) | (nodes > last)).any(axis=1)
        nodes, gains = nodes[free], gains[free]
    return paths


def _nodes(cells: Float32Array, threshold: float) -> Int64Array:
    """``[N, 2]`` matches of each query frame with its most similar target frames, by query, then target."""
    rank = max(0, cells.shape[1] - _TOP_FRAMES)
    # Frames as similar as the last one are offered too: those of a still picture are all alike.
    least = np.partition(cells, rank, axis=1)[:, rank : rank + 1]
    return np.argwhere((cells >= least) & (cells >= threshold))


@compiled
def _heaviest_path(nodes: Int64Array, gains: Float32Array, cost: float) -> tuple[Int64Array, float]:
    """The nodes of the path that wins most, and how much; none where there is no node."""
    total = gains.astype(np.float64)
    before = np.full(len(nodes), -1)
    first, last = 0, 0
    for row in range(len(nodes)):
        query, target = nodes[row]
        while nodes[first, 0] < query - _LONGEST_EDGE:
            first += 1
        most = 0.0
        for earlier in range(first, row):
            forward, aside = query - nodes[earlier, 0], target - nodes[earlier, 1]
            if min(forward, aside) > 0 and aside <= _LONGEST_EDGE:
                reached = total[earlier] - cost * (max(forward, aside) - 1)
                if reached > most:
                    most, before[row] = reached, earlier
        total[row] += most
        if total[row] > total[last]:
            last = row
    if not len(nodes):
        return nodes, 0.0
    path = np.empty(len(nodes), dtype=np.int64)
    n, row = 0, last
    while row >= 0:
        path[n] = row
        n, row = n + 1, before[row]
    return nodes[path[:n][::-1]], total[last]
