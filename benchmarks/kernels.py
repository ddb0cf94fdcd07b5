"""Times of the similarity kernels beside their slow twins: median of repeats, one thread each.

The two take turns, so that whatever else the machine does falls on both; every fast result is first
compared with its twin's, so that a kernel that is wrong is not timed.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from dns_core.models.registry import build_network
from dns_core.retrieval.scorer import FineScorer, scorer_of
from dns_core.similarity.chamfer import region_chamfer
from dns_core.similarity.hamming import (
    frame_similarities_packed,
    frame_similarity_packed,
    pack_signs,
    unpack_signs,
)

REPEATS = 7
REGIONS, BITS = 9, 512
N_QUERY_FRAMES, N_TARGET_FRAMES, N_TARGETS = 102, 80, 20
N_SCORED = 10
TOLERANCE = 1e-5

Call = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of one task done in two ways."""

    task: str
    fast: str
    slow: str
    fast_ms: float
    slow_ms: float


def timed(task: str, fast: tuple[str, Call], slow: tuple[str, Call]) -> Timing:
    """Median milliseconds of both ways; the first call of each, which compiles, is not counted."""
    fast_ms, slow_ms = [], []
    for _ in range(REPEATS + 1):
        fast_ms.append(elapsed_ms(fast[1]))
        slow_ms.append(elapsed_ms(slow[1]))
    return Timing(task, fast[0], slow[0], statistics.median(fast_ms[1:]), statistics.median(slow_ms[1:]))


def elapsed_ms(call: Call) -> float:
    """Milliseconds of one call."""
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def frame_matrices(rng: np.random.Generator) -> Iterator[Timing]:
    """Frame-frame similarity of binary codes: the packed kernel and torch on unpacked signs."""
    query = random_codes(rng, N_QUERY_FRAMES)
    targets = [random_codes(rng, N_TARGET_FRAMES) for _ in range(N_TARGETS)]
    codes = np.concatenate(targets)
    ends = np.arange(1, N_TARGETS + 1) * N_TARGET_FRAMES
    spans = np.stack([ends - N_TARGET_FRAMES, ends], axis=1)
    signs, target_signs = as_tensor(query), [as_tensor(target) for target in targets]

    def twin(target: torch.Tensor) -> torch.Tensor:
        return region_chamfer(signs, target)[0] / BITS

    def packed() -> Any:
        return frame_similarities_packed(query, codes, spans, threads=1)

    for fast, target in zip(packed(), target_signs, strict=True):
        np.testing.assert_allclose(fast, twin(target).numpy(), atol=TOLERANCE)
    yield timed(
        f"frame matrix, {N_QUERY_FRAMES} x {N_TARGET_FRAMES} frames, {REGIONS} regions, {BITS} bits",
        ("packed", lambda: frame_similarity_packed(query, targets[0])),
        ("torch fp32", lambda: twin(target_signs[0])),
    )
    yield timed(
        f"{N_TARGETS} of these",
        ("packed", packed),
        ("torch fp32", lambda: [twin(target) for target in target_signs]),
    )


def pair_scores(rng: np.random.Generator) -> Iterator[Timing]:
    """Fine scores of pairs: as a search does it, stored and in batches, and the network pair by pair."""
    regions = rng.normal(size=(N_SCORED + 1, N_TARGET_FRAMES, REGIONS, BITS)).astype(np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    for name in ("fine_binary", "fine_attention"):
        torch.manual_seed(0)
        network = build_network(name, {"dims": BITS}).eval()
        scorer: FineScorer = scorer_of(network)  # type: ignore[arg-type]
        query, *targets = [scorer.stored(video) for video in regions]
        tensors = [torch.from_numpy(video).unsqueeze(0) for video in regions]

        @torch.inference_mode()
        def one_by_one(network: Any = network, tensors: list[torch.Tensor] = tensors) -> list[float]:
            return [float(network(tensors[0], target)[0]) for target in tensors[1:]]

        def stored(scorer: FineScorer = scorer, query: Any = query, targets: Any = targets) -> Any:
            return scorer.scores(query, targets)

        # Half precision of what is stored moves a score by more than rounding.
        np.testing.assert_allclose(stored(), one_by_one(), atol=2e-3)
        yield timed(
            f"{N_SCORED} pairs of {N_TARGET_FRAMES} frames, {name}",
            ("stored, batched", stored),
            ("network, pair by pair", one_by_one),
        )


def random_codes(rng: np.random.Generator, n_frames: int) -> Any:
    """``[n_frames, R, BITS / 64]`` codes of random signs."""
    return pack_signs(rng.normal(size=(n_frames, REGIONS, BITS)))


def as_tensor(codes: Any) -> torch.Tensor:
    """``[1, T, R, BITS]`` signs of codes."""
    return torch.from_numpy(unpack_signs(codes).astype(np.float32)).unsqueeze(0)


def main() -> None:
    """Print one line a task."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    table = Table(title=f"median of {REPEATS}, one thread", title_justify="left")
    for heading in ("task", "fast", "ms", "slow twin", "ms", "ratio"):
        right = heading in ("ms", "ratio")
        table.add_column(heading, justify="right" if right else "left", no_wrap=right)
    for timings in (frame_matrices(rng), pair_scores(rng)):
        for row in timings:
            ratio = f"{row.slow_ms / row.fast_ms:.1f}"
            table.add_row(row.task, row.fast, f"{row.fast_ms:.2f}", row.slow, f"{row.slow_ms:.2f}", ratio)
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
