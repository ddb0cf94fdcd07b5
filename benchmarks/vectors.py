"""Synthetic coarse vectors, drawn like those of real clips."""

import numpy as np

from dns_core.records import Float32Array, Int64Array

_COMMON, _WITHIN, _DECAY, _ROWS = 0.13, 0.88, -0.56, 100_000


def like_real_ones(
    rng: np.random.Generator, n: int, dims: int, n_queries: int
) -> tuple[Float32Array, Float32Array]:
    """Unit vectors ``[n, dims]`` in scenes of about 20, and queries that are other takes of some.

    Drawn so that cosines are as among coarse vectors of 307 public clips, in windows of 8 frames, by the
    models that come along: 0.13 with a spread of 0.19 between clips, 0.88 within one.
    """
    spectrum = np.arange(1, dims + 1) ** _DECAY
    spectrum = (spectrum / np.linalg.norm(spectrum)).astype(np.float32)
    shared = np.zeros(dims, dtype=np.float32)
    shared[-1] = np.sqrt(_COMMON)

    def drawn(centres: Float32Array, share: float) -> Float32Array:
        noise = rng.standard_normal(centres.shape, dtype=np.float32) * spectrum
        mixed = np.sqrt(share) * centres + np.sqrt(1 - share) * noise
        return np.asarray(mixed / np.linalg.norm(mixed, axis=1, keepdims=True), dtype=np.float32)

    scenes = drawn(np.broadcast_to(shared / np.sqrt(_COMMON), (-(-n // 20), dims)), _COMMON)
    vectors = np.empty((n, dims), dtype=np.float32)
    for start in range(0, n, _ROWS):
        some = vectors[start : start + _ROWS]
        some[:] = drawn(scenes[rng.integers(0, len(scenes), len(some))], _WITHIN)
    return vectors, drawn(vectors[rng.integers(0, n, n_queries)], _WITHIN)


def nearest(scores: Float32Array, n: int) -> Int64Array:
    """Places of the ``n`` highest of more scores, in no order."""
    return np.argpartition(-scores, n)[:n]
