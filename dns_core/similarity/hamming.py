"""Similarity of frames from packed sign codes: Hamming distance and region Chamfer in one pass.

A code is ``[..., W]`` uint64, 64 signs a word, the first sign in the lowest bit. With b bits, of which
h differ, the dot product of the sign vectors divided by b is ``1 - 2 h / b``. All sums are of integers,
so results do not depend on the order of work or the number of threads.

One bit cannot say 0: `pack_signs` reads 0 as +1, as the networks do (see `Binarization`). A frame that
is padding must not be packed; lengths say what exists.
"""

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from dns_core.records import Float32Array, Int64Array, UInt64Array

WORD_BITS = 64

# Target frames compared at once: their transposed codes (9 regions x 8 words) stay in the L2 cache.
_BLOCK_FRAMES = 256
# Blocks are completed to whole vector registers (unrolled four times by LLVM) with cells nobody reads.
_LANES = 32
# Under so many comparisons of regions a second thread costs more than it gives.
_PARALLEL_COMPARISONS = 1 << 20

_F = TypeVar("_F", bound=Callable[..., Any])


def pack_signs(index: npt.NDArray[Any]) -> UInt64Array:
    """Codes ``[..., bits / 64]`` whose bit is set where ``index [..., bits]`` is not negative.

    Raises:
        ValueError: the number of bits does not fill words of 64.
    """
    n_bits = index.shape[-1]
    if n_bits == 0 or n_bits % WORD_BITS:
        raise ValueError(f"codes need a positive multiple of {WORD_BITS} bits, not {n_bits}")
    packed = np.packbits(index >= 0, axis=-1, bitorder="little")
    return packed.view("<u8").astype(np.uint64, copy=False)


def unpack_signs(codes: UInt64Array) -> npt.NDArray[np.int8]:
    """Signs ``[..., 64 W]``, -1 or 1, of codes ``[..., W]``: the inverse of `pack_signs`."""
    octets = np.ascontiguousarray(codes).astype("<u8", copy=False).view(np.uint8)
    bits = np.unpackbits(octets, axis=-1, bitorder="little")
    return (2 * bits.astype(np.int8) - 1).astype(np.int8)


def frame_similarity_packed(query: UInt64Array, target: UInt64Array) -> Float32Array:
    """Similarity ``[Tq, Tt]`` in [-1, 1] of every query frame with every target frame; one thread.

    Each query region's best target region, averaged over query regions: what `region_chamfer` returns
    for the unpacked codes, divided by the number of bits. It runs without the interpreter's lock.

    Args:
        query: ``[Tq, R, W]`` codes.
        target: ``[Tt, R, W]`` codes.

    Raises:
        ValueError: the codes are not of one shape but for their frames.
    """
    _check_codes(query, target)
    out = np.empty((query.shape[0], target.shape[0]), dtype=np.float32)
    whole = np.array([[0, target.shape[0]]], dtype=np.int64)
    _fill(np.ascontiguousarray(query), np.ascontiguousarray(target), whole, out.reshape(-1))
    return out


def frame_similarities_packed(
    query: UInt64Array, codes: UInt64Array, spans: Int64Array, *, threads: int = 0
) -> list[Float32Array]:
    """`frame_similarity_packed` of one query with many targets, in order, on several threads.

    Args:
        query: ``[Tq, R, W]`` codes.
        codes: ``[N, R, W]`` the frames of all targets one after the other, for example a memory map.
        spans: ``[K, 2]`` first frame and end (exclusive) of each target in ``codes``; they may come in
            any order, overlap and repeat. All of a file with ``offsets [V + 1]`` are
            ``np.stack([offsets[:-1], offsets[1:]], axis=1)``.
        threads: how many; 0 for as many as the process may use.

    Returns:
        K matrices ``[Tq, Tt]``, views of one array.

    Raises:
        ValueError: shapes do not agree, or a span is not within ``codes``.
    """
    _check_codes(query, codes)
    spans = np.ascontiguousarray(spans, dtype=np.int64).reshape(-1, 2)
    starts, lengths = spans[:, 0], spans[:, 1] - spans[:, 0]
    if np.any(starts < 0) or np.any(lengths < 0) or np.any(spans[:, 1] > codes.shape[0]):
        raise ValueError(f"spans must lie within the {codes.shape[0]} frames of the codes")
    cells = np.concatenate([[0], np.cumsum(lengths * query.shape[0])])
    out = np.empty(int(cells[-1]), dtype=np.float32)
    query = np.ascontiguousarray(query)
    work = int(cells[-1]) * query.shape[1] ** 2
    parts = _balanced(cells, _n_threads(threads, work))
    if len(parts) == 1:
        _fill(query, codes, spans, out)
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            jobs = [pool.submit(_fill, query, codes, spans[a:b], out[cells[a] : cells[b]]) for a, b in parts]
            for job in jobs:
                job.result()
    shapes = [(query.shape[0], int(length)) for length in lengths]
    return [out[a:b].reshape(shape) for a, b, shape in zip(cells[:-1], cells[1:], shapes, strict=True)]


def _check_codes(query: UInt64Array, target: UInt64Array) -> None:
    if query.ndim != 3 or query.shape[1:] != target.shape[1:]:
        raise ValueError(f"codes must be [T, R, W] with equal R and W, not {query.shape} and {target.shape}")
    if query.dtype != np.uint64 or target.dtype != np.uint64:
        raise ValueError(f"codes must be uint64, not {query.dtype} and {target.dtype}")


def _n_threads(asked: int, work: int) -> int:
    if work < _PARALLEL_COMPARISONS:
        return 1
    return asked if asked > 0 else len(os.sched_getaffinity(0))


def _balanced(cells: Int64Array, n_parts: int) -> list[tuple[int, int]]:
    """Ranges of targets with about equal numbers of cells, none empty unless there is no target."""
    goals = np.linspace(0, cells[-1], n_parts + 1)[1:-1]
    cuts = np.unique(np.concatenate([[0], np.searchsorted(cells, goals), [len(cells) - 1]]))
    if len(cuts) < 2:
        return [(0, len(cells) - 1)]
    return [(int(a), int(b)) for a, b in itertools.pairwise(cuts)]


def _compiled(function: _F) -> _F:
    """``function`` compiled on its first call, without the interpreter's lock, and kept on disk."""
    return cast(_F, numba.njit(nogil=True, cache=True)(function))


def _popcount_signature(_context: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    """Number of set bits, by the processor's own instruction; NumPy's has no form inside numba."""

    def generate(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(word), generate


_popcount = cast(Callable[[Any], Any], intrinsic(_popcount_signature))


@_compiled
def _count_differences(query: UInt64Array, rows: UInt64Array, n: int, distances: UInt64Array) -> None:
    """Set ``distances [:n]`` to the bits in which one query region differs from n target frames'.

    Args:
        query: ``[W]`` words of the query region.
        rows: ``[W, frames]`` words of one region of the target frames.
        n: how many frames.
        distances: is written to.
    """
    # Slices of one axis: LLVM vectorises loops over these alone. Eight words at once hide the stores.
    counted = 0
    distances[:n] = 0
    while counted + 8 <= query.shape[0]:
        q, r = query[counted : counted + 8], rows[counted : counted + 8]
        q0, q1, q2, q3, q4, q5, q6, q7 = q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7]
        r0, r1, r2, r3 = r[0, :n], r[1, :n], r[2, :n], r[3, :n]
        r4, r5, r6, r7 = r[4, :n], r[5, :n], r[6, :n], r[7, :n]
        for i in range(n):
            low = (
                _popcount(q0 ^ r0[i]) + _popcount(q1 ^ r1[i]) + _popcount(q2 ^ r2[i]) + _popcount(q3 ^ r3[i])
            )
            high = (
                _popcount(q4 ^ r4[i]) + _popcount(q5 ^ r5[i]) + _popcount(q6 ^ r6[i]) + _popcount(q7 ^ r7[i])
            )
            distances[i] += low + high
        counted += 8
    for word in range(counted, query.shape[0]):
        value, row = query[word], rows[word, :n]
        for i in range(n):
            distances[i] += _popcount(value ^ row[i])


@_compiled
def _fill_row(query: UInt64Array, rows: UInt64Array, n: int, scratch: UInt64Array) -> None:
    """Set ``scratch[0, :n]`` to the summed distance of each query region to its nearest region.

    Args:
        query: ``[R, W]`` words of one query frame.
        rows: ``[R, W, frames]`` words of the target frames.
        n: how many frames.
        scratch: ``[3, frames]``: the sum, the least so far, the latest.
    """
    total, nearest, latest = scratch[0], scratch[1], scratch[2]
    total[:n] = 0
    for query_region in range(query.shape[0]):
        _count_differences(query[query_region], rows[0], n, nearest)
        for region in range(1, rows.shape[0]):
            _count_differences(query[query_region], rows[region], n, latest)
            for i in range(n):
                nearest[i] = min(nearest[i], latest[i])
        for i in range(n):
            total[i] += nearest[i]


@_compiled
def _fill(query: UInt64Array, codes: UInt64Array, spans: Int64Array, out: Float32Array) -> None:
    """Write the matrices of all spans into ``out``, one after the other, row by row."""
    n_query, n_regions, n_words = query.shape
    rows = np.zeros((n_regions, n_words, _BLOCK_FRAMES), dtype=np.uint64)
    scratch = np.empty((3, _BLOCK_FRAMES), dtype=np.uint64)
    scale = 2.0 / (n_regions * n_words * WORD_BITS)
    base = 0
    for start, stop in spans:
        for low in range(start, stop, _BLOCK_FRAMES):
            n = min(_BLOCK_FRAMES, stop - low)
            for i in range(n):
                for region in range(n_regions):
                    for word in range(n_words):
                        rows[region, word, i] = codes[low + i, region, word]
            for frame in range(n_query):
                _fill_row(query[frame], rows, (n + _LANES - 1) // _LANES * _LANES, scratch)
                first = base + frame * (stop - start) + low - start
                for i in range(n):
                    out[first + i] = 1.0 - scale * scratch[0, i]
        base += n_query * (stop - start)
