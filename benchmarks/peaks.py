"""What this processor can do at best, measured: the roof under which the parts work."""

import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.measure import elapsed_ms, n_cores
from dns_core.records import Float32Array, UInt64Array
from dns_core.similarity.compiled import compiled, processor_has
from dns_core.similarity.hamming import popcount
from dns_core.similarity.tile_product import LANES, WIDE, tile_product

_SIDE = 2048
# Held in the first level's cache: 4 KB.
_WORDS, _ROUNDS = 512, 200_000
# Sums that stay in registers, of factors held in the first level's cache.
_ROWS, _VECTORS, _DEPTH, _TILES = 9 if WIDE else 3, 3, 128, 100_000
_WIDTH = _VECTORS * LANES
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Peaks:
    """What is done in a second, and how long the work of a pair of videos takes at that rate.

    Attributes:
        multiply_adds: multiplications with their addition in single precision, on all threads: in torch's
            product of large matrices, or in one of small ones from the nearest cache, whichever does more.
        multiply_adds_bf16: of bfloat16, summed in single precision, in torch's product; the former where the
            processor multiplies no bfloat16.
        popcount_words: words of 64 bits combined, counted and added, on one thread, from the nearest cache.
    """

    multiply_adds: float
    multiply_adds_bf16: float
    popcount_words: float

    def products_ms(self, n_products: float) -> float:
        """Of multiplications with their addition, in single precision."""
        return n_products / self.multiply_adds * 1000

    def rounded_products_ms(self, n_products: float) -> float:
        """Likewise, in bfloat16 where there is some."""
        return n_products / self.multiply_adds_bf16 * 1000

    def vectors_ms(self, n_query: int, n_target: int, n_regions: int, dims: int) -> float:
        """Of a frame-frame matrix of vectors."""
        return self.rounded_products_ms(n_query * n_target * n_regions**2 * dims)

    def codes_ms(self, n_query: int, n_target: int, n_regions: int, n_words: int) -> float:
        """Of a frame-frame matrix of codes, on all threads."""
        words = n_query * n_target * n_regions**2 * n_words
        return words / self.popcount_words / n_cores() * 1000

    def comparator_ms(self, n_query: int, n_target: int) -> float:
        """Of the comparator's three 3x3 convolutions over a frame-frame matrix, two of them Winograd's."""
        channels = (1, 32, 64, 128)
        a_cell = (9, 36 / 16, 36 / 16)
        layers = zip(channels, channels[1:], (1, 4, 16), a_cell, strict=False)
        products = sum(n_query * n_target / shrunk * n * fewer * more for fewer, more, shrunk, n in layers)
        return self.products_ms(products)


def measured_peaks() -> Peaks:
    """Medians of some repeats."""
    a, b = torch.rand(_SIDE, _SIDE), torch.rand(_SIDE, _SIDE)
    single = max(_SIDE**3 / _median_s(lambda: a @ b), _multiply_adds_of_tiles())
    halves = a.bfloat16(), b.bfloat16()
    has_bf16 = WIDE and processor_has("avx512bf16")
    words = np.random.default_rng(0).integers(0, 2**64, _WORDS, dtype=np.uint64)
    return Peaks(
        single,
        _SIDE**3 / _median_s(lambda: halves[0] @ halves[1]) if has_bf16 else single,
        _WORDS * _ROUNDS / _median_s(lambda: _count(words, _ROUNDS)),
    )


def _multiply_adds_of_tiles() -> float:
    """A second, on all threads."""
    tiles = [_TILES] * n_cores()
    with ThreadPoolExecutor(len(tiles)) as pool:
        seconds = _median_s(lambda: list(pool.map(_multiply_tiles, tiles)))
    return sum(tiles) * _ROWS * _WIDTH * _DEPTH / seconds


@compiled
def _multiply_tiles(n: int) -> Float32Array:
    left, right = np.ones((_ROWS, _DEPTH), dtype=np.float32), np.ones((_DEPTH, _WIDTH), dtype=np.float32)
    out = np.empty((_ROWS, _WIDTH), dtype=np.float32)
    for _ in range(n):
        tile_product(
            left.ctypes.data,
            right.ctypes.data,
            out.ctypes.data,
            (_ROWS, _VECTORS, _DEPTH),
            (_DEPTH, _WIDTH, _WIDTH),
            False,
        )
    return out


def _median_s(call: Callable[[], Any]) -> float:
    call()
    return statistics.median(elapsed_ms(call) for _ in range(_REPEATS)) / 1000


@compiled
def _count(words: UInt64Array, rounds: int) -> int:
    total = np.zeros_like(words)
    for n in range(0, rounds, 8):
        for i in range(len(words)):
            found = np.uint64(0)
            for k in range(8):
                found += popcount(words[i] ^ np.uint64(n + k))
            total[i] += found
    return int(total.sum())
