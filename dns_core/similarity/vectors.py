"""Similarity of frames from region vectors: products and region Chamfer in one pass, on processors.

What `dns_core.similarity.chamfer.region_chamfer` computes, without a product of regions in memory. Where the
processor multiplies bfloat16 (AVX-512 BF16), vectors are rounded to it and their products summed in single
precision: of unit vectors of 512 numbers the similarity of two frames then moves by 3e-5 in the mean, by 3e-4
at most.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dns_core.records import Float32Array, Int64Array, UInt32Array
from dns_core.similarity.compiled import compiled_loosely, processor_has
from dns_core.similarity.spans import matrices_of_spans
from dns_core.similarity.threads import all_threads
from dns_core.similarity.tile_product import LANES, WIDE, tile_product

# Under so many multiplications a second thread costs more than it gives.
_PARALLEL_PRODUCTS = 1 << 24
# Frames that are rounded at a time.
_BLOCK = 64


def frame_similarities(
    query: npt.NDArray[Any], frames: npt.NDArray[Any], spans: Int64Array, *, threads: int = 0
) -> list[Float32Array]:
    """`region_chamfer` of one query with many targets, in order, on several threads.

    Args:
        query: ``[Tq, R, D]`` float16 or float32.
        frames: ``[N, R, D]`` the frames of all targets one after the other.
        spans: ``[K, 2]``, see `matrices_of_spans`.
        threads: how many; 0 for as many as the process may use.

    Returns:
        K matrices ``[Tq, Tt]``, views of one array; in [-1, 1], to rounding, if vectors have at most
        unit length.

    Raises:
        ValueError: shapes do not agree, or a span is not within ``frames``.
    """
    if query.ndim != 3 or query.shape[1:] != frames.shape[1:]:
        raise ValueError(
            f"vectors must be [T, R, D] with equal R and D, not {query.shape} and {frames.shape}"
        )
    _, n_regions, dims = query.shape
    paired = dims % 2 == 0 and processor_has("avx512bf16") and WIDE
    queries, targets = _words(query, paired), _words(frames, paired)
    n_frames = int((spans[:, 1] - spans[:, 0]).sum()) if len(spans) else 0
    few = len(query) * n_frames * n_regions**2 * dims < _PARALLEL_PRODUCTS
    fill = _fill_of(n_regions, queries.shape[2], paired)
    return matrices_of_spans(fill, queries, targets, spans, threads=1 if few else threads or all_threads())


def _words(vectors: npt.NDArray[Any], paired: bool) -> UInt32Array:
    """``[T, R, W]``: words of one number, or of two."""
    # Arrays of a mapped file are read-only, and torch knows no such tensors.
    whole = np.require(vectors, requirements=["C", "W"])
    rounded = torch.empty(whole.shape, dtype=torch.bfloat16 if paired else torch.float32)
    # By way of single precision, as half to bfloat16 takes twice as long; in blocks that stay in the caches.
    for start in range(0, len(whole), _BLOCK):
        rounded[start : start + _BLOCK] = torch.from_numpy(whole[start : start + _BLOCK]).float()
    return rounded.view(torch.int32).numpy().view(np.uint32)


@cache
def _fill_of(n_regions: int, n_words: int, paired: bool) -> Callable[..., None]:
    """The function that compares vectors of one shape; its products are of a frame with `LANES` others."""
    # Vectors side by side: 27 sums stay in the 32 registers of AVX-512, 9 in the 16 of other processors.
    side = 3 if WIDE and n_regions % 3 == 0 else 1
    n_groups = n_regions // side
    width = side * LANES

    @compiled_loosely
    def fill(query: UInt32Array, frames: UInt32Array, spans: Int64Array, out: Float32Array) -> None:
        """Write the matrices of all spans into ``out``, one after the other, row by row."""
        right = np.zeros((n_groups, n_words, side, LANES), dtype=np.uint32)
        products = np.empty((n_regions, side, LANES), dtype=np.float32)
        nearest = np.empty((n_regions, LANES), dtype=np.float32)
        base = 0
        for start, stop in spans:
            rows = out[base : base + len(query) * (stop - start)].reshape(len(query), stop - start)
            base += rows.size
            for low in range(start, stop, LANES):
                high = min(low + LANES, stop)
                _transpose(frames[low:high], right)
                for frame in range(len(query)):
                    nearest[:] = -np.inf
                    for group in range(n_groups):
                        tile_product(
                            query[frame].ctypes.data,
                            right[group].ctypes.data,
                            products.ctypes.data,
                            (n_regions, side, n_words),
                            (n_words, width, width),
                            paired,
                        )
                        _keep_nearest(products, nearest)
                    _average(nearest, rows[frame, low - start : high - start])

    return fill


@compiled_loosely
def _transpose(frames: UInt32Array, right: UInt32Array) -> None:
    """Write ``frames [n, R, W]`` to the first lanes of ``right [R / side, W, side, LANES]``."""
    n_groups, n_words, side, _ = right.shape
    for group in range(n_groups):
        for one in range(side):
            for word in range(n_words):
                for i in range(len(frames)):
                    right[group, word, one, i] = frames[i, group * side + one, word]


@compiled_loosely
def _keep_nearest(products: Float32Array, nearest: Float32Array) -> None:
    """Raise ``nearest [R, LANES]`` to ``products [R, side, LANES]``."""
    for region in range(products.shape[0]):
        for one in range(products.shape[1]):
            for i in range(LANES):
                nearest[region, i] = max(nearest[region, i], products[region, one, i])


@compiled_loosely
def _average(nearest: Float32Array, out: Float32Array) -> None:
    """Write means over the regions ``[R, LANES]`` to ``out``, of as many lanes as it has."""
    for i in range(len(out)):
        total = np.float32(0)
        for region in range(len(nearest)):
            total += nearest[region, i]
        out[i] = total / np.float32(len(nearest))
