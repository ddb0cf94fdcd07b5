"""What the calculator says of indices beside what they cost: ``python -m benchmarks.calculator [SIZE...]``.

CPU seconds of one thread: on a quiet machine they are wall-clock seconds, on a busy one they still hold.
"""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.searches import FINE, synthetic_index
from dns_core.evaluation.cost import Setting
from dns_core.measurement.search_costs import measure_costs
from dns_core.records import Float32Array, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.engine import Engine
from dns_core.store.index_parts import bytes_read

N_MEASURED, N_FRAMES, N_QUERY_FRAMES = 88, 4, 30
_DIMS, _REPEATS = 512, 5
_SHARES = {1_000: (0.0, 0.1), 10_000: (0.0, 0.05), 100_000: (0.0, 0.001), 1_000_000: (0.0, 0.001)}


def comparison(
    sizes: dict[int, tuple[float, ...]], folder: Path
) -> Iterator[tuple[int, float, float, float]]:
    """Yield videos, share that is re-ranked (-1 for bytes), what was measured and what was estimated."""
    bundle = Bundle.load(SHIPPED_MODELS)
    query = _query()
    small = synthetic_index(folder / "measured", bundle, _vectors(N_MEASURED), N_FRAMES)
    engine = Engine(small, bundle, fine=FINE)
    cost = measure_costs(engine, [query])
    known = {part: n / N_MEASURED for part, n in small.manifest.parts.items()}
    for n_videos, shares in sizes.items():
        index = synthetic_index(folder / str(n_videos), bundle, _vectors(n_videos), N_FRAMES)
        engine = Engine(index, bundle, fine=FINE)
        for share in shares:
            setting = Setting(n_videos, 1.0, N_QUERY_FRAMES * N_FRAMES, share)
            yield n_videos, share, _seconds(engine, query, share), cost.seconds(setting)
        yield (
            n_videos,
            -1.0,
            bytes_read(index.manifest.parts, FINE),
            n_videos * bytes_read(known, FINE),
        )


def _seconds(engine: Engine, query: VideoFeatures, share: float) -> float:
    """The fastest of some searches, after one that is not timed."""
    found = []
    for _ in range(_REPEATS + 1):
        began = time.process_time()
        engine.search(query, budget=Budget(share=share))
        found.append(time.process_time() - began)
    return min(found[1:])


def _vectors(count: int) -> Float32Array:
    drawn = np.random.default_rng(0).standard_normal((count, _DIMS), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def _query() -> VideoFeatures:
    regions = np.random.default_rng(1).standard_normal((N_QUERY_FRAMES, 9, _DIMS), dtype=np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    return VideoFeatures("query", regions, np.arange(N_QUERY_FRAMES) / 2)


def main() -> int:
    """Print a row a size; the arguments are the sizes, all of them if there are none."""
    time.perf_counter = time.process_time
    wanted = [int(size) for size in sys.argv[1:]] or list(_SHARES)
    with tempfile.TemporaryDirectory() as folder:
        for n_videos, share, measured, estimated in comparison({n: _SHARES[n] for n in wanted}, Path(folder)):
            what = "bytes" if share < 0 else f"ms, {share:.1%} re-ranked"
            scale = 1 if share < 0 else 1000
            figures = f"{scale * measured:16,.1f} {scale * estimated:16,.1f} {estimated / measured:.2f}"
            sys.stdout.write(f"{n_videos:>9,} {what:22} {figures}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
