"""Similarity of frames from packed sign codes: Hamming distance and region Chamfer in one pass.

A code is ``[..., W]`` uint64, 64 signs a word, the first sign in the lowest bit. With b bits, of which
h differ, the dot product of the sign vectors divided by b is ``1 - 2 h / b``. All sums are of integers,
so results do not depend on the order of work or the number of threads.

One bit cannot say 0: `pack_signs` reads 0 as +1, as the networks do (see `Binarization`). A frame that
is padding must not be packed; lengths say what exists.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from dns_core.records import Float32Array, UInt64Array
from dns_core.similarity.compiled import compiled, read_only
from dns_core.similarity.tile_product import WIDE

WORD_BITS = 64

# Target frames compared at once: their transposed codes (9 regions x 8 words) stay in the second cache (90
# KB), or in the first (18 KB) where registers are narrow and ask for them twice as often.
_BLOCK_FRAMES = 160 if WIDE else 32
# Blocks are completed to whole vector registers with cells that are never read.
_LANES = 8
_MORE_THAN_ALL_BITS = 1 << 62


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


def frame_similarity_packed(query: UInt64Array, target: UInt64Array, partial: bool = False) -> Float32Array:
    """Similarity ``[Tq, Tt]`` in [-1, 1] of every query frame with every target frame; one thread.

    Each query region's best target region, pooled over query regions: what `region_chamfer` returns
    for the unpacked codes, divided by the number of bits. It runs without the interpreter's lock.

    Args:
        query: ``[Tq, R, W]`` codes.
        target: ``[Tt, R, W]`` codes, for example a stretch of a memory map.
        partial: see `region_chamfer`.

    Raises:
        ValueError: the codes are not of one shape but for their frames.
    """
    _check_codes(query, target)
    out = np.empty((query.shape[0], target.shape[0]), dtype=np.float32)
    _kernel_for(*query.shape[1:], partial)(read_only(query), read_only(target), out)
    return out


def _check_codes(query: UInt64Array, target: UInt64Array) -> None:
    if query.ndim != 3 or query.shape[1:] != target.shape[1:]:
        raise ValueError(f"codes must be [T, R, W] with equal R and W, not {query.shape} and {target.shape}")
    if query.dtype != np.uint64 or target.dtype != np.uint64:
        raise ValueError(f"codes must be uint64, not {query.dtype} and {target.dtype}")


def _popcount_signature(_context: Any, word: Any) -> tuple[Any, Callable[..., Any]]:
    """Number of set bits, by the processor's own instruction; NumPy's has no form inside numba."""

    def generate(_codegen: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(word), generate


popcount = cast(Callable[[Any], Any], intrinsic(_popcount_signature))
"""Number of set bits of a word, inside compiled functions alone."""


@compiled
def _transpose(codes: UInt64Array, rows: UInt64Array) -> None:
    """Write codes ``[n, R, W]`` to the beginning of ``rows [R, W, frames]``: neighbours are of one word."""
    for i in range(codes.shape[0]):
        for region in range(codes.shape[1]):
            for word in range(codes.shape[2]):
                rows[region, word, i] = codes[i, region, word]


@cache
def _kernel_for(n_regions: int, n_words: int, partial: bool) -> Callable[..., None]:
    """The function that compares codes of one shape: known sizes let LLVM unroll and vectorise it."""
    scale = 2.0 / ((1 if partial else n_regions) * n_words * WORD_BITS)
    first = _MORE_THAN_ALL_BITS if partial else 0

    @compiled
    def compare(query: UInt64Array, target: UInt64Array, out: Float32Array) -> None:
        rows = np.zeros((n_regions, n_words, _BLOCK_FRAMES), dtype=np.uint64)
        total = np.empty(_BLOCK_FRAMES, dtype=np.uint64)
        for low in range(0, len(target), _BLOCK_FRAMES):
            n = min(_BLOCK_FRAMES, len(target) - low)
            _transpose(target[low : low + n], rows)
            n_lanes = (n + _LANES - 1) // _LANES * _LANES
            for frame in range(len(query)):
                total[:] = np.uint64(first)
                for region in range(n_regions):
                    own = query[frame, region]
                    for i in range(n_lanes):
                        nearest = np.uint64(_MORE_THAN_ALL_BITS)
                        for other in range(n_regions):
                            differences = np.uint64(0)
                            for word in range(n_words):
                                differences += popcount(own[word] ^ rows[other, word, i])
                            nearest = min(nearest, differences)
                        total[i] = min(total[i], nearest) if partial else total[i] + nearest
                for i in range(n):
                    out[frame, low + i] = 1.0 - scale * total[i]

    return compare
