from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
import torch

from dns_core.similarity import vectors
from dns_core.similarity.compiled import processor_has
from dns_core.similarity.tile_product import WIDE
from dns_core.similarity.vectors import frame_similarities
from tests.oracles.similarity_loops import region_chamfer_loops
from tests.oracles.slow_twins import frame_matrix

HAS_HALVES = WIDE and processor_has("avx512bf16")
Vectors = npt.NDArray[np.float16]


def unit(n_frames: int, n_regions: int = 9, dims: int = 64, seed: int = 0) -> Vectors:
    rng = np.random.default_rng([seed, n_frames])
    drawn = rng.standard_normal((n_frames, n_regions, dims), dtype=np.float32)
    drawn /= np.linalg.norm(drawn, axis=-1, keepdims=True)
    return drawn.astype(np.float16)


def in_single(query: Vectors, targets: list[Vectors], partial: bool = False) -> list[npt.NDArray[np.float32]]:
    with mock.patch.object(vectors, "processor_has", return_value=False):
        return frame_similarities(query, targets, partial)


def expected(query: Vectors, target: Vectors) -> npt.NDArray[np.float32]:
    whole = [torch.from_numpy(vectors.astype(np.float32)) for vectors in (query, target)]
    found: npt.NDArray[np.float32] = frame_matrix(*whole).numpy()
    return found


# Regions that make groups of three and such that do not; dimensions that fill words of two and do not.
@pytest.mark.parametrize(("n_regions", "dims"), [(9, 64), (9, 33), (4, 8), (1, 1), (6, 130)])
def test_equals_its_slow_twin(n_regions: int, dims: int) -> None:
    query, *targets = [unit(n, n_regions, dims) for n in (7, 1, 39, 0, 16, 16)]
    for matrix, target in zip(in_single(query, targets), targets, strict=True):
        assert matrix.shape == (7, len(target))
        if len(target):
            np.testing.assert_allclose(matrix, expected(query, target), atol=1e-6)


@pytest.mark.skipif(not HAS_HALVES, reason="this processor multiplies no bfloat16")
@pytest.mark.parametrize("dims", [64, 512])
def test_bfloat16_is_what_torch_makes_of_halves(dims: int) -> None:
    query, target = unit(30, dims=dims), unit(100, dims=dims)
    target[:30] = query
    (found,) = frame_similarities(query, [target])
    rounded = [torch.from_numpy(video).bfloat16().float() for video in (query, target)]
    np.testing.assert_allclose(found, frame_matrix(*rounded).numpy(), atol=1e-6)
    difference = np.abs(found - expected(query, target))
    assert 0 < difference.max() < 2e-3
    assert difference.mean() < 3e-4


def test_the_best_pair_of_regions_equals_plain_loops() -> None:
    query, target = unit(7), unit(39)
    expected = region_chamfer_loops(query, target, partial=True)
    np.testing.assert_allclose(in_single(query, [target], partial=True)[0], expected, atol=1e-6)
    np.testing.assert_allclose(frame_similarities(query, [target], partial=True)[0], expected, atol=3e-3)


def test_halves_of_every_size_are_read_rightly() -> None:
    """Large and tiny ones, of either sign, and zeros; those below 2^-14 have no leading bit."""
    sizes = np.concatenate([2.0 ** np.arange(-24, 12), [0, -0.0, 3 * 2.0**-24, 0.1, 65504]])
    row = np.concatenate([sizes, -sizes]).astype(np.float16)
    one = np.ones((1, 1, 1), np.float16)
    (found,) = in_single(one, [row.reshape(-1, 1, 1)])
    np.testing.assert_array_equal(found[0], row.astype(np.float32))


def test_vectors_that_may_not_be_written_or_lie_apart_are_read_rightly() -> None:
    query, target = unit(8)[::2], unit(9)[::3]
    target.flags.writeable = query.flags.writeable = False
    (found,) = in_single(query, [target])
    np.testing.assert_allclose(found, expected(query.copy(), target.copy()), atol=1e-6)


def test_no_targets_give_no_matrices() -> None:
    assert frame_similarities(unit(3), []) == []


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="equal R and D"):
        frame_similarities(unit(3), [unit(5), unit(5, dims=32)])
    with pytest.raises(ValueError, match="float16"):
        frame_similarities(unit(3), [unit(5).astype(np.float32)])
