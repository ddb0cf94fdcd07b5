"""Iterative quantisation: the rotation whose sign codes lose least of the data."""

import numpy as np

from dns_core.records import Float32Array, Float64Array


def fit_itq(samples: Float32Array, bits: int, *, iterations: int = 50, seed: int) -> Float32Array:
    """Orthonormal columns ``W [D, bits]`` for which ``sign(x W)`` is close to ``x W``.

    The first step is PCA without centring: `Binarization` subtracts no mean and scales to unit length,
    so that is what is fitted. Rows of zeros say nothing and are left out. The same samples and seed
    give the same rotation, up to the rounding of the machine's linear algebra.

    Args:
        samples: ``[N, D]`` region vectors, of any length.
        bits: at most D.
        iterations: alternations between codes and rotation; 50 in the paper.
        seed: of the random rotation it starts from.

    Raises:
        ValueError: more bits than dimensions, or fewer samples with content than bits.

    Reference: Gong et al., "Iterative Quantization", TPAMI 2013, section 3.2.
    """
    length = np.linalg.norm(samples, axis=1, keepdims=True)
    kept = length[:, 0] > 0
    unit = samples[kept].astype(np.float64) / length[kept]
    if not 0 < bits <= unit.shape[1]:
        raise ValueError(f"bits must be 1 to {unit.shape[1]}, the dimensions of the samples, not {bits}")
    if len(unit) < bits:
        raise ValueError(f"{bits} bits need as many samples with content, there are {len(unit)}")
    axes = np.linalg.eigh(unit.T @ unit)[1][:, ::-1][:, :bits]
    start = np.random.default_rng(seed).standard_normal((bits, bits))
    rotation = _rotated((unit @ axes).astype(np.float32), np.linalg.qr(start)[0], iterations)
    return np.ascontiguousarray(axes @ rotation, dtype=np.float32)


def _rotated(projected: Float32Array, rotation: Float64Array, iterations: int) -> Float64Array:
    """The rotation after alternating: codes for a fixed rotation, rotation for fixed codes (Procrustes).

    Only signs are taken of the products of many rows, so that they are worked out in single precision.
    """
    for _ in range(iterations):
        codes = np.where(projected @ rotation.astype(np.float32) >= 0, np.float32(1), np.float32(-1))
        left, _, right = np.linalg.svd((projected.T @ codes).astype(np.float64))
        rotation = left @ right
    return rotation
