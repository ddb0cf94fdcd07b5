import numpy as np
import numpy.typing as npt
import pytest
import torch

from dns_core.models.fine import FineStudent
from dns_core.models.itq import fit_itq


@pytest.fixture
def samples() -> npt.NDArray[np.float32]:
    """Vectors of two strong and many weak directions, not aligned with the axes."""
    rng = np.random.default_rng(0)
    mixing = np.linalg.qr(rng.standard_normal((64, 64)))[0]
    mixed: npt.NDArray[np.float64] = (rng.standard_normal((2000, 64)) * np.linspace(3, 0.2, 64)) @ mixing
    return mixed.astype(np.float32)


def loss(samples: npt.NDArray[np.float32], rotation: npt.NDArray[np.float32]) -> float:
    """Squared distance of projections to their scaled signs, for unit vectors."""
    projected = samples / np.linalg.norm(samples, axis=1, keepdims=True) @ rotation
    scale = np.abs(projected).mean()
    return float(((projected - scale * np.sign(projected)) ** 2).sum(1).mean())


@pytest.mark.parametrize("bits", [64, 32])
def test_columns_are_orthonormal(samples: npt.NDArray[np.float32], bits: int) -> None:
    rotation = fit_itq(samples, bits, seed=1)
    assert rotation.shape == (64, bits)
    assert rotation.dtype == np.float32
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(bits), atol=1e-5)


def test_every_round_of_iterations_lowers_the_quantisation_error(samples: npt.NDArray[np.float32]) -> None:
    losses = [loss(samples, fit_itq(samples, 64, iterations=n, seed=1)) for n in (0, 1, 5, 50)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.95 * losses[0]


def test_fewer_bits_keep_the_strong_directions(samples: npt.NDArray[np.float32]) -> None:
    rotation = fit_itq(samples, 16, seed=1)
    kept = ((samples @ rotation) ** 2).sum() / (samples**2).sum()
    assert kept > 1.5 * 16 / 64


def test_seeded_and_blind_to_length_and_zero_rows(samples: npt.NDArray[np.float32]) -> None:
    first = fit_itq(samples, 32, seed=1)
    np.testing.assert_array_equal(first, fit_itq(samples, 32, seed=1))
    assert np.abs(first - fit_itq(samples, 32, seed=2)).max() > 0.01
    rng = np.random.default_rng(3)
    scaled = samples * rng.uniform(0.5, 2, (len(samples), 1)).astype(np.float32)
    holed = np.concatenate([scaled, np.zeros((5, 64), np.float32)])
    assert loss(samples, fit_itq(holed, 32, seed=1)) == pytest.approx(loss(samples, first), rel=1e-3)


def test_it_fits_the_binary_student(samples: npt.NDArray[np.float32]) -> None:
    student = FineStudent(64, binarization=True)
    assert student.binarization is not None
    with torch.no_grad():
        student.binarization.W.copy_(torch.from_numpy(fit_itq(samples, 64, seed=0)))
        codes = student.eval().index(torch.from_numpy(samples[:18]).reshape(1, 2, 9, 64))
    assert codes.shape == (1, 2, 9, 64)


def test_impossible_requests_are_refused(samples: npt.NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        fit_itq(samples, 65, seed=0)
    with pytest.raises(ValueError, match="there are 10"):
        fit_itq(samples[:10], 32, seed=0)
