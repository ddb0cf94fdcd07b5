"""The slow twins of the similarity kernels: plain loops over frames and regions, in float64."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def region_chamfer_loops(query: Array, target: Array, partial: bool = False) -> Array:
    """[Tq, Tt] of [Tq, R, D] and [Tt, R, D]; the best pair of regions alone if partial."""
    pooled = max if partial else np.mean
    out = np.empty((len(query), len(target)))
    for i, query_frame in enumerate(query.astype(np.float64)):
        for j, target_frame in enumerate(target.astype(np.float64)):
            out[i, j] = pooled([max(float(a @ b) for b in target_frame) for a in query_frame])
    return out


def chamfer_loops(matrix: Array, mask: Array) -> float:
    """Mean over valid rows of the best valid cell; 0 if there is none."""
    best = [
        max(float(s) for s, m in zip(row, row_mask, strict=True) if m)
        for row, row_mask in zip(matrix, mask, strict=True)
        if row_mask.any()
    ]
    return float(np.mean(best)) if best else 0.0


def packed_similarity_loops(query: Array, target: Array, partial: bool = False) -> Array:
    """[Tq, Tt] of codes [T, R, W]: Python's own count of bits."""
    pooled = max if partial else np.mean
    n_bits = 64 * query.shape[2]

    def agreement(a: Array, b: Array) -> float:
        different: int = sum((int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True))
        return 1.0 - 2.0 * different / float(n_bits)

    out = np.empty((len(query), len(target)))
    for i, query_frame in enumerate(query):
        for j, target_frame in enumerate(target):
            out[i, j] = pooled([max(agreement(a, b) for b in target_frame) for a in query_frame])
    return out
