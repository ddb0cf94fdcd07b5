"""Whitening of region descriptors, fitted on a sample of them, and better on copies of videos too.

Reference: Jegou and Chum, Negative evidences and co-occurences in image retrieval, ECCV 2012; DnS,
IJCV 2022, section 4.1 (to 512 dimensions). Learned from pairs: Mikolajczyk and Matas, Improving
descriptors for fast tree matching by optimal linear projection, ICCV 2007; Radenovic et al., TPAMI 2019.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from dns_core.errors import CorruptArtefactError, InputError
from dns_core.records import Float32Array, Float64Array, Int64Array
from dns_core.store.fingerprints import fingerprint_bytes
from dns_core.store.weights import read_weights, save_weights

if TYPE_CHECKING:
    from dns_core.store.feature_store import FeatureStore

_FLOOR = 1e-7  # added to each variance, as the reference does
_BLOCK_ROWS = 16384


class Whitening:
    """Subtracts a mean, projects to ``d`` dimensions, and scales to unit length.

    Attributes:
        mean: ``[D]`` float32.
        projection: ``[D, d]`` float32.
        fingerprint: of both.
    """

    def __init__(self, mean: Float32Array, projection: Float32Array) -> None:
        if mean.ndim != 1 or projection.shape[:1] != mean.shape or projection.ndim != 2:
            raise ValueError(f"mean {mean.shape} and projection {projection.shape} are not [D] and [D, d]")
        self.mean = np.ascontiguousarray(mean, dtype=np.float32)
        self.projection = np.ascontiguousarray(projection, dtype=np.float32)
        shape = np.array(projection.shape, dtype=np.int64)
        self.fingerprint = fingerprint_bytes(
            shape.tobytes() + self.mean.tobytes() + self.projection.tobytes()
        )

    @property
    def dims(self) -> int:
        """The dimensions after whitening, ``d``."""
        return int(self.projection.shape[1])

    def apply(self, regions: Float32Array) -> Float32Array:
        """Whitened copies of descriptors: ``[..., D]`` to ``[..., d]``, unit length.

        A zero row, which stands for a region without content, stays zero; else all such regions would
        become the same vector and match one another.

        Raises:
            ValueError: the last axis is not D.
        """
        if regions.shape[-1:] != self.mean.shape:
            raise ValueError(f"descriptors {regions.shape} cannot be whitened by a mean of {self.mean.shape}")
        white = np.asarray((regions - self.mean) @ self.projection, dtype=np.float32)
        norms = np.linalg.norm(white, axis=-1, keepdims=True)
        white /= np.maximum(norms, np.finfo(np.float32).tiny)
        white[~regions.any(axis=-1)] = 0
        return white

    @classmethod
    def fit(cls, sample: Float32Array, dims: int, *, shrinkage: float = 0.0) -> Self:
        """Whitening to the ``dims`` directions in which ``sample`` ``[N, D]`` varies most.

        Worked out in double precision. Each axis points to where its largest component is positive, so
        equal samples give equal axes.

        Args:
            sample: ``[N, D]`` region vectors.
            dims: d of the whitened vectors.
            shrinkage: share of the mean variance that is added to every direction's. A sample of little
                footage knows its weak directions badly, and plain whitening blows them up: similarities
                of other footage then follow another distribution.

        Raises:
            InputError: the sample does not vary in that many directions.
        """
        mean = sample.mean(axis=0, dtype=np.float64)
        variances, axes = _principal_axes(_covariance(sample, mean), dims, len(sample))
        projection = axes / np.sqrt(variances + shrinkage * variances.mean() + _FLOOR)
        return cls(mean.astype(np.float32), projection.astype(np.float32))

    @classmethod
    def fit_to_copies(
        cls, sample: Float32Array, differences: Float32Array, dims: int, *, shrinkage: float
    ) -> Self:
        """Whitening after which a copy differs from what it copies by as much in every direction.

        What edits change - sharpness, colour, compression - thereby counts for little, and what they
        leave for much. Of that space the ``dims`` directions are kept in which ``sample`` varies most.
        Equal input gives equal axes, as in `fit`.

        Args:
            sample: ``[N, D]`` region vectors.
            differences: ``[P, D]`` copied region minus original region.
            dims: d of the whitened vectors.
            shrinkage: share of the differences' mean variance that is added to every direction's: what
                a few edits of little footage never changed is not therefore unchangeable.

        Raises:
            InputError: the sample does not vary in that many directions.
        """
        mean = sample.mean(axis=0, dtype=np.float64)
        within = _covariance(differences, np.zeros_like(mean))
        within += (shrinkage * within.trace() / len(within) + _FLOOR) * np.eye(len(within))
        # within = L L^T; in the space of L^-1 x it is the identity
        sphering = np.linalg.inv(np.linalg.cholesky(within))
        total = sphering @ _covariance(sample, mean) @ sphering.T
        _, axes = _principal_axes(total, dims, len(sample))
        return cls(mean.astype(np.float32), (sphering.T @ axes).astype(np.float32))

    def save(self, path: Path, metadata: Mapping[str, str]) -> None:
        """Write a safetensors file with what the whitening was fitted on as ``metadata``."""
        save_weights(path, {"mean": self.mean, "projection": self.projection}, metadata)

    @classmethod
    def load(cls, path: Path) -> Self:
        """The whitening that `save` wrote.

        Raises:
            MissingArtefactError: there is no such file.
            CorruptArtefactError: the file is damaged or holds something else.
        """
        arrays, _ = read_weights(path)
        try:
            return cls(arrays["mean"], arrays["projection"])
        except (KeyError, ValueError) as error:
            raise CorruptArtefactError(f"{path} does not hold a whitening: {error}") from error


def sample_regions(store: "FeatureStore", ids: Iterable[str], n: int, seed: int) -> Float32Array:
    """``[n, D]`` region descriptors drawn without repetition, from each video as many, as far as it has them.

    The draw depends on the set of ids, ``n`` and ``seed``. All descriptors are returned, and so fewer,
    if there are fewer than ``n``.

    Raises:
        InputError: there are no ids, or ``n`` is not positive.
    """
    ordered = sorted(set(ids))
    if not ordered or n < 1:
        raise InputError(f"cannot sample {n} descriptors from {len(ordered)} videos")
    rng = np.random.default_rng(seed)
    n_regions = store.read(ordered[0], 0, 1).regions.shape[1]
    available = np.array([store.n_frames(video_id) * n_regions for video_id in ordered])
    drawn: list[Float32Array] = []
    for video_id, quota, have in zip(ordered, _even_quotas(available, n, rng), available, strict=True):
        if quota:
            rows = np.sort(rng.choice(have, size=quota, replace=False))
            regions = store.read(video_id).regions
            drawn.append(regions.reshape(-1, regions.shape[-1])[rows])
    return np.concatenate(drawn)


def matched_differences(originals: Float32Array, copies: Float32Array, whitening: Whitening) -> Float32Array:
    """``[T * R, D]``: each copied region minus the region of the same frame that resembles it most.

    An edit may mirror a frame or move its content, so regions at the same place need not correspond.

    Args:
        originals: ``[T, R, D]`` region vectors.
        copies: ``[T, R, D]`` of the same frames of an edited copy.
        whitening: into the space in which resemblance is judged.
    """
    ours, theirs = whitening.apply(originals), whitening.apply(copies)
    best = np.einsum("trd,tsd->trs", theirs, ours).argmax(axis=2)
    matched = np.take_along_axis(originals, best[..., None], axis=1)
    return np.asarray((copies - matched).reshape(-1, originals.shape[-1]), dtype=np.float32)


def _principal_axes(covariance: Float64Array, dims: int, n_rows: int) -> tuple[Float64Array, Float64Array]:
    """The ``dims`` largest variances, falling, and their axes ``[D, dims]`` of determined sign."""
    variances, axes = np.linalg.eigh(covariance)
    variances, axes = variances[::-1], axes[:, ::-1]
    tolerance = max(variances[0], 0.0) * max(n_rows, len(axes)) * np.finfo(np.float64).eps
    rank = int((variances > tolerance).sum())
    if not 1 <= dims <= rank:
        raise InputError(
            f"cannot whiten to {dims} dimensions: the sample of {n_rows} descriptors of "
            f"{len(axes)} dimensions varies in {rank}; take more videos or fewer dimensions"
        )
    variances, axes = variances[:dims], axes[:, :dims]
    signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dims)])
    return variances, axes * signs


def _even_quotas(available: Int64Array, n: int, rng: np.random.Generator) -> Int64Array:
    """How many to take of each video: one level for all that have as many, and 1 more for some."""
    low, high = 0, int(available.max())
    while low < high:
        level = (low + high + 1) // 2
        if np.minimum(available, level).sum() <= n:
            low = level
        else:
            high = level - 1
    quotas = np.minimum(available, low)
    with_more = rng.permutation(np.flatnonzero(available > low))
    quotas[with_more[: n - int(quotas.sum())]] += 1
    return quotas


def _covariance(sample: Float32Array, mean: Float64Array) -> Float64Array:
    """Covariance ``[D, D]``, summed block by block: a copy of the sample in doubles would be large."""
    total = np.zeros((mean.size, mean.size))
    for start in range(0, len(sample), _BLOCK_ROWS):
        centred = sample[start : start + _BLOCK_ROWS] - mean
        total += centred.T @ centred
    return total / max(1, len(sample) - 1)
