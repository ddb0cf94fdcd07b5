"""What this processor can do at best, measured: the roof under which the parts work."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.measure import elapsed_ms
from dns_core.records import UInt64Array
from dns_core.similarity.compiled import compiled
from dns_core.similarity.hamming import popcount

_SIDE = 2048
# Held in the first level's cache: 4 KB.
_WORDS, _ROUNDS = 512, 200_000
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Peaks:
    """What is done in a second.

    Attributes:
        multiply_adds: multiplications with their addition in single precision, on all threads, in a large
            matrix product.
        popcount_words: words of 64 bits combined, counted and added, on one thread, from the nearest cache.
    """

    multiply_adds: float
    popcount_words: float


def measured_peaks() -> Peaks:
    """Medians of some repeats."""
    a, b = torch.rand(_SIDE, _SIDE), torch.rand(_SIDE, _SIDE)
    words = np.random.default_rng(0).integers(0, 2**64, _WORDS, dtype=np.uint64)
    return Peaks(
        _SIDE**3 / _median_s(lambda: a @ b),
        _WORDS * _ROUNDS / _median_s(lambda: _count(words, _ROUNDS)),
    )


def matrix_products(n_query: int, n_target: int, n_regions: int, dims: int) -> float:
    """Products of numbers, or of words of codes, that one frame-frame matrix takes."""
    return float(n_query * n_target * n_regions**2 * dims)


def comparator_products(n_query: int, n_target: int) -> float:
    """Products that the comparator's three 3x3 convolutions take for one frame-frame matrix."""
    channels = (1, 32, 64, 128)
    layers = zip(channels, channels[1:], (1, 4, 16), strict=False)
    return sum(n_query * n_target / shrunk * 9 * fewer * more for fewer, more, shrunk in layers)


def _median_s(call: Callable[[], Any]) -> float:
    call()
    return statistics.median(elapsed_ms(call) for _ in range(_REPEATS)) / 1000


@compiled
def _count(words: UInt64Array, rounds: int) -> int:
    total = np.zeros_like(words)
    for n in range(rounds):
        for i in range(len(words)):
            total[i] += popcount(words[i] ^ np.uint64(n))
    return int(total.sum())
