from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
import torch

from dns_core.similarity import vectors
from dns_core.similarity.compiled import processor_has
from dns_core.similarity.tile_product import WIDE
from dns_core.similarity.vectors import frame_similarities
from tests.oracles.slow_twins import frame_matrix

HAS_HALVES = WIDE and processor_has("avx512bf16")
Vectors = npt.NDArray[np.floating]


def unit(n_frames: int, n_regions: int = 9, dims: int = 64, seed: int = 0) -> Vectors:
    rng = np.random.default_rng([seed, n_frames])
    drawn = rng.standard_normal((n_frames, n_regions, dims), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=-1, keepdims=True)
    return drawn


def in_single(
    query: Vectors, frames: Vectors, spans: npt.NDArray[np.int64], threads: int = 0
) -> list[npt.NDArray[np.float32]]:
    with mock.patch.object(vectors, "processor_has", return_value=False):
        return frame_similarities(query, frames, spans, threads=threads)


def expected(query: Vectors, target: Vectors) -> npt.NDArray[np.float32]:
    whole = [torch.from_numpy(vectors.astype(np.float32)) for vectors in (query, target)]
    found: npt.NDArray[np.float32] = frame_matrix(*whole).numpy()
    return found


# Regions that make groups of three and such that do not; dimensions that fill words of two and do not.
@pytest.mark.parametrize(("n_regions", "dims"), [(9, 64), (9, 33), (4, 8), (1, 1), (6, 130)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_equals_its_slow_twin(n_regions: int, dims: int, dtype: type[np.floating]) -> None:
    query, frames = (unit(n, n_regions, dims).astype(dtype) for n in (7, 50))
    spans = np.array([[0, 1], [1, 40], [40, 40], [3, 19], [3, 19], [34, 50]])
    found = in_single(query, frames, spans)
    assert [matrix.shape for matrix in found] == [(7, stop - start) for start, stop in spans]
    for matrix, (start, stop) in zip(found, spans, strict=True):
        np.testing.assert_allclose(matrix, expected(query, frames[start:stop]), atol=1e-6)


@pytest.mark.skipif(not HAS_HALVES, reason="this processor multiplies no bfloat16")
@pytest.mark.parametrize("dims", [64, 512])
def test_bfloat16_is_near(dims: int) -> None:
    query, frames = unit(30, dims=dims), unit(100, dims=dims)
    frames[:30] = query
    (found,) = frame_similarities(query, frames, np.array([[0, 100]]))
    difference = np.abs(found - expected(query, frames))
    assert 0 < difference.max() < 2e-3
    assert difference.mean() < 3e-4


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_change_nothing(threads: int) -> None:
    query, frames = unit(40, dims=512), unit(200, dims=512)
    spans = np.array([[0, 90], [90, 91], [91, 200]])
    assert 40 * 200 * 81 * 512 > 1 << 24
    for one, other in zip(
        in_single(query, frames, spans, threads), in_single(query, frames, spans, 1), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_vectors_that_may_not_be_written_or_lie_apart_are_read_rightly() -> None:
    query, frames = unit(8)[::2], unit(9)[::3]
    frames.flags.writeable = query.flags.writeable = False
    (found,) = in_single(query, frames, np.array([[0, 3]]))
    np.testing.assert_allclose(found, expected(query.copy(), frames.copy()), atol=1e-6)


def test_no_targets_give_no_matrices() -> None:
    assert frame_similarities(unit(3), unit(5), np.empty((0, 2), np.int64)) == []


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="equal R and D"):
        frame_similarities(unit(3), unit(5, dims=32), np.array([[0, 5]]))
    with pytest.raises(ValueError, match="within the 5 frames"):
        frame_similarities(unit(3), unit(5), np.array([[0, 6]]))
