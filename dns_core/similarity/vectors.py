"""Similarity of frames from region vectors: products and region Chamfer in one pass, on processors.

What `dns_core.similarity.chamfer.region_chamfer` computes, without a product of regions in memory. Where the
processor multiplies bfloat16 (AVX-512 BF16), vectors are rounded to it and their products summed in single
precision: of unit vectors of 512 numbers the similarity of two frames then moves by 3e-5 in the mean, by 3e-4
at most.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from dns_core.records import Float32Array, UInt16Array, UInt32Array
from dns_core.similarity.compiled import compiled_loosely, processor_has, read_only
from dns_core.similarity.tile_product import LANES, WIDE, tile_product

# A half's exponent is this much less than that of the same bits, moved to where single precision has them.
_EXPONENT_SHIFT = np.float32(2.0**112)
_SIGN, _MAGNITUDE = np.uint32(0x8000), np.uint32(0x7FFF)
_UPPER_HALF = np.uint32(0xFFFF0000)


def frame_similarities(
    query: npt.NDArray[np.float16],
    targets: Sequence[npt.NDArray[np.float16]],
    partial: bool = False,
) -> list[Float32Array]:
    """`region_chamfer` of one query with each target, in order; one thread, without the interpreter's lock.

    Args:
        query: ``[Tq, R, D]`` finite, in half precision.
        targets: ``[Tt, R, D]`` each, likewise.
        partial: see `region_chamfer`.

    Returns:
        Matrices ``[Tq, Tt]``; in [-1, 1], to rounding, if vectors have at most unit length.

    Raises:
        ValueError: a video is not in half precision, or not of the query's R and D.
    """
    for video in (query, *targets):
        if video.ndim != 3 or video.shape[1:] != query.shape[1:] or video.dtype != np.float16:
            raise ValueError(
                f"vectors must be [T, R, D] float16 with equal R and D, not {query.shape} {query.dtype} "
                f"and {video.shape} {video.dtype}"
            )
    _, n_regions, dims = query.shape
    paired = dims % 2 == 0 and processor_has("avx512bf16") and WIDE
    kernel = _kernel_for(n_regions, dims, paired, partial)
    words = np.empty((len(query) * n_regions, dims // 2 if paired else dims), dtype=np.uint32)
    _write_all(_halves(query).reshape(-1, dims), words)
    words = words.reshape(len(query), n_regions, -1)
    matrices = [np.empty((len(query), len(target)), dtype=np.float32) for target in targets]
    for target, matrix in zip(targets, matrices, strict=True):
        kernel(words, _halves(target), matrix)
    return matrices


def _halves(vectors: npt.NDArray[np.float16]) -> UInt16Array:
    return read_only(vectors).view(np.uint16)


@cache
def _kernel_for(n_regions: int, dims: int, paired: bool, partial: bool) -> Callable[..., None]:
    """The function that compares vectors of one shape; its products are of a frame with `LANES` others."""
    # Vectors of a query's frame at once, and of a target's: 27 sums stay in the 32 registers of AVX-512, 9 in
    # the 16 of other processors, where a block of 3 x 3 loads less for each product than one of 9 x 1.
    side = 3 if n_regions % 3 == 0 else 1
    rows = n_regions if WIDE or side == 1 else 3
    n_words = dims // (2 if paired else 1)
    width = side * LANES
    pool = _best if partial else _average

    @compiled_loosely
    def compare(query: UInt32Array, target: UInt16Array, out: Float32Array) -> None:
        """Write the similarities of the words of a query and of a target in half precision."""
        right = np.empty((n_regions // side, n_words, side, LANES), dtype=np.uint32)
        bits = np.empty(dims, dtype=np.uint32)
        words = np.zeros((LANES, n_words), dtype=np.uint32)
        products = np.empty((n_regions, side, LANES), dtype=np.float32)
        nearest = np.empty((n_regions, LANES), dtype=np.float32)
        for low in range(0, len(target), LANES):
            high = min(low + LANES, len(target))
            for region in range(n_regions):
                for frame in range(low, high):
                    _write_words(target[frame, region], bits, words[frame - low])
                _transpose(words, region, right)
            for frame in range(len(query)):
                nearest[:] = -np.inf
                for group in range(len(right)):
                    for row in range(0, n_regions, rows):
                        tile_product(
                            query[frame, row].ctypes.data,
                            right[group].ctypes.data,
                            products[row].ctypes.data,
                            (rows, side, n_words),
                            (n_words, width, width),
                            paired,
                        )
                    _keep_nearest(products, nearest)
                pool(nearest, out[frame, low:high])

    return compare


@compiled_loosely
def _write_all(halves: UInt16Array, words: UInt32Array) -> None:
    """Write ``halves [N, D]`` to ``words [N, W]``."""
    bits = np.empty(halves.shape[1], dtype=np.uint32)
    for row in range(len(halves)):
        _write_words(halves[row], bits, words[row])


@compiled_loosely
def _write_words(halves: UInt16Array, bits: UInt32Array, words: UInt32Array) -> None:
    """Write ``halves [D]`` to ``words [W]``, of one number in single precision each, or of two in bfloat16.

    ``bits [D]`` is room for what is between.
    """
    for i in range(len(halves)):
        half = np.uint32(halves[i])
        bits[i] = ((half & _SIGN) << np.uint32(16)) | ((half & _MAGNITUDE) << np.uint32(13))
    numbers = bits.view(np.float32)
    for i in range(len(numbers)):
        numbers[i] *= _EXPONENT_SHIFT
    if len(words) == len(bits):
        words[:] = bits
    else:
        for i in range(len(words)):
            words[i] = (_rounded(bits[2 * i]) >> np.uint32(16)) | (_rounded(bits[2 * i + 1]) & _UPPER_HALF)


@compiled_loosely
def _rounded(bits: np.uint32) -> np.uint32:
    """The bits of a number whose upper half is the nearest bfloat16, the even one of two."""
    return np.uint32(bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1)))


@compiled_loosely
def _transpose(words: UInt32Array, region: int, right: UInt32Array) -> None:
    """Write ``words [LANES, W]`` of a region to its place in ``right [R / side, W, side, LANES]``."""
    group, one = divmod(region, right.shape[2])
    for word in range(words.shape[1]):
        for i in range(LANES):
            right[group, word, one, i] = words[i, word]


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


@compiled_loosely
def _best(nearest: Float32Array, out: Float32Array) -> None:
    """Write the largest over the regions ``[R, LANES]`` to ``out``, of as many lanes as it has."""
    for i in range(len(out)):
        largest = nearest[0, i]
        for region in range(1, len(nearest)):
            largest = max(largest, nearest[region, i])
        out[i] = largest
