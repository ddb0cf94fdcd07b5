import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_core.models.checkpoints import arrays_of
from dns_core.models.live import LiveFine
from dns_core.models.registry import build_network
from dns_core.models.teacher import Teacher
from dns_core.similarity.comparator import Comparator
from dns_core.similarity.comparator_kernel import ComparatorWeights, comparator_means, comparator_scores
from dns_core.similarity.winograd import BLOCK, TILE, room_for, tiles_of, weights_at_points
from tests.oracles.slow_twins import comparator_output

EXACT = 2e-5


def a_comparator(spread: float = 1.0) -> Comparator:
    """With windows on both sides of the bounds if ``spread`` is large."""
    torch.manual_seed(4)
    comparator = Comparator()
    with torch.no_grad():
        for layer in (comparator.conv1, comparator.conv2, comparator.conv3):
            assert layer.bias is not None
            layer.bias.uniform_(-0.1, 0.1)
        comparator.fconv.weight.mul_(spread)
    return comparator.eval()


def weights_of(comparator: Comparator) -> ComparatorWeights:
    return ComparatorWeights.of(arrays_of(comparator))


def a_matrix(height: int, width: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.random.default_rng([seed, height, width]).uniform(-1, 1, (height, width)).astype(np.float32)


def twin(comparator: Comparator, matrix: npt.NDArray[np.float32], partial: bool = False) -> float:
    windows = F.hardtanh(comparator_output(comparator, torch.from_numpy(matrix)))
    forth, back = (float(windows.max(axis).values.mean()) for axis in (1, 0))
    return max(forth, back) if partial else forth


@settings(max_examples=40, deadline=None)
@given(
    shapes=st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), min_size=1, max_size=4),
    spread=st.sampled_from([0.3, 10.0]),
)
def test_matrices_of_any_size_score_as_their_slow_twin(shapes: list[tuple[int, int]], spread: float) -> None:
    comparator = a_comparator(spread)
    matrices = [a_matrix(*shape) for shape in shapes]
    found = comparator_scores(weights_of(comparator), matrices)
    np.testing.assert_allclose(found, [twin(comparator, one) for one in matrices], atol=EXACT)
    found = comparator_scores(weights_of(comparator), matrices, partial=True)
    np.testing.assert_allclose(found, [twin(comparator, one, partial=True) for one in matrices], atol=EXACT)


def test_a_matrix_scores_alone_and_among_others_the_same_bit_for_bit() -> None:
    weights = weights_of(a_comparator())
    # Enough for several threads.
    matrices = [a_matrix(64, n) for n in (30, 1, 64, 64, 7)]
    together = comparator_scores(weights, matrices)
    alone = np.concatenate([comparator_scores(weights, [one]) for one in matrices])
    np.testing.assert_array_equal(together, alone)


def test_weights_are_those_of_the_moment() -> None:
    comparator, matrix = a_comparator(), a_matrix(9, 9)
    before = weights_of(comparator)
    found = comparator_scores(before, [matrix])
    with torch.no_grad():
        for weights in comparator.parameters():
            weights.zero_()
    np.testing.assert_array_equal(comparator_scores(before, [matrix]), found)
    assert comparator_scores(weights_of(comparator), [matrix]) == [0]


def test_no_matrices_no_scores() -> None:
    assert comparator_scores(weights_of(a_comparator()), []).shape == (0,)


@pytest.mark.parametrize("config", [{"padding": "replicate"}, {"compatibility": "reference"}])
def test_the_kernel_is_not_used_for_a_comparator_of_another_rule(config: dict[str, str]) -> None:
    network = build_network("teacher", {"dims": 64, **config})
    assert isinstance(network, Teacher)
    assert LiveFine(network).weights is None


def test_the_mean_of_the_windows_is_that_of_the_comparator() -> None:
    comparator, matrices = a_comparator(10.0), [a_matrix(n, n) for n in (1, 3, 8, 21, 70)]
    found = comparator_means(weights_of(comparator), matrices)
    for matrix, mean in zip(matrices, found, strict=True):
        with torch.inference_mode():
            windows, valid = comparator(torch.from_numpy(matrix)[None])
        shown = windows if valid is None else windows[valid]
        assert mean == pytest.approx(shown.mean().item(), abs=EXACT, rel=EXACT)


@pytest.mark.parametrize(("n_channels", "n_out"), [(32, 64), (64, 128)])
def test_tiles_are_the_convolution(n_channels: int, n_out: int) -> None:
    rng = np.random.default_rng(0)
    rows, columns = 5, 9
    image = rng.standard_normal((TILE * rows + 2, TILE * columns + 2, n_channels), dtype=np.float32)
    weights = rng.standard_normal((n_out, n_channels, 3, 3), dtype=np.float32) / (3 * n_channels**0.5)
    expected = F.conv2d(torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(weights)).numpy()
    convolve, room = tiles_of(n_channels, n_out), room_for(n_channels, n_out)
    for first in (0, BLOCK):
        count = min(BLOCK, rows * columns - first)
        convolve(image, weights_at_points(weights), first, count, room)
        for tile in range(count):
            y, x = divmod(first + tile, columns)
            there = expected[:, TILE * y : TILE * y + TILE, TILE * x : TILE * x + TILE]
            np.testing.assert_allclose(room.tiles[tile], there.transpose(1, 2, 0), atol=3e-5)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="names an x86 processor")
def test_processors_without_wide_registers_find_the_same(tmp_path: Path) -> None:
    """Compiled for the first 64-bit processors, in its own process: comparator and products of vectors."""
    vectors = np.random.default_rng(0).standard_normal((20, 9, 32), dtype=np.float32) / 32**0.5
    vectors = vectors.astype(np.float16)
    np.savez(tmp_path / "given.npz", matrix=a_matrix(21, 34), vectors=vectors)
    script = """
import sys, numpy as np, torch
from pathlib import Path
from dns_core.similarity.comparator_kernel import comparator_scores
from dns_core.similarity.vectors import frame_similarities
from tests.dns_core.similarity.test_comparator_kernel import a_comparator, weights_of
folder = Path(sys.argv[1])
given = np.load(folder / "given.npz")
scores = comparator_scores(weights_of(a_comparator()), [given["matrix"]])
(matrix,) = frame_similarities(given["vectors"], [given["vectors"]])
np.savez(folder / "found.npz", scores=scores, matrix=matrix)
"""
    plain = {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    # A fixed script whose only argument is a folder made here.
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], env={**os.environ, **plain}, check=True)
    found = np.load(tmp_path / "found.npz")
    np.testing.assert_allclose(found["scores"], twin(a_comparator(), a_matrix(21, 34)), atol=EXACT)
    vectors = vectors.astype(np.float32)
    products = np.einsum("iud,jvd->iujv", vectors, vectors).max(3).mean(1)
    np.testing.assert_allclose(found["matrix"], products, atol=EXACT)
