import numpy as np
import pytest
import torch
from torch import Tensor

from dns_core.similarity import chamfer
from dns_core.similarity.chamfer import chamfer_similarity, region_chamfer
from tests.oracles.similarity_loops import region_chamfer_loops


def naive(query: Tensor, target: Tensor, partial: bool = False) -> Tensor:
    """The product [B, Tq, R, R, Tt] as a whole, and torch's own gradients."""
    best = torch.einsum("biok,bjpk->biopj", query, target).max(3).values
    return best.max(2).values if partial else best.mean(2)


def unit(*shape: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(*shape, generator=rng), dim=-1)


PARTIAL = pytest.mark.parametrize("partial", [False, True])


@PARTIAL
def test_region_chamfer_equals_plain_loops(partial: bool) -> None:
    query, target = unit(2, 5, 9, 32, seed=0), unit(2, 7, 9, 32, seed=1)
    found = region_chamfer(query, target, partial).numpy()
    for b in range(2):
        expected = region_chamfer_loops(query[b].numpy(), target[b].numpy(), partial)
        np.testing.assert_allclose(found[b], expected, atol=1e-6)


def test_one_query_meets_every_target() -> None:
    query, target = unit(1, 5, 9, 32, seed=0), unit(3, 7, 9, 32, seed=1)
    torch.testing.assert_close(region_chamfer(query, target), naive(query.expand(3, -1, -1, -1), target))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    query, target = unit(2, 5, 9, 32, seed=0), unit(2, 11, 9, 32, seed=1)
    whole = region_chamfer(query, target)
    monkeypatch.setattr(chamfer, "_BLOCK_CELLS", 2 * 5 * 9 * 9 * 3)
    torch.testing.assert_close(region_chamfer(query, target), whole)


@PARTIAL
@pytest.mark.parametrize("block_cells", [1 << 22, 2 * 5 * 81 * 4])
def test_gradients_are_those_of_torch(
    block_cells: int, partial: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chamfer, "_BLOCK_CELLS", block_cells)
    gradients = []
    for function in (region_chamfer, naive):
        query = unit(2, 5, 9, 32, seed=0).requires_grad_()
        target = unit(2, 6, 9, 32, seed=1).requires_grad_()
        weights = torch.arange(2 * 5 * 6).reshape(2, 5, 6) / 10 - 2
        torch.autograd.backward((function(query, target, partial) * weights).sum())
        gradients.append((query.grad, target.grad))
    for found, expected in zip(*gradients, strict=True):
        assert found is not None
        torch.testing.assert_close(found, expected)


def test_gradients_flow_to_one_side_alone() -> None:
    query, target = unit(1, 3, 9, 8, seed=0), unit(1, 4, 9, 8, seed=1).requires_grad_()
    torch.autograd.backward(region_chamfer(query, target).sum())
    assert target.grad is not None
    assert query.grad is None


def test_nothing_valid_gives_zero() -> None:
    matrix = torch.rand(2, 3, 4)
    mask = torch.zeros(2, 3, 4, dtype=torch.bool)
    mask[0, 1, 2] = True
    found = chamfer_similarity(matrix, mask, max_axis=2, mean_axis=1)
    assert found.tolist() == [matrix[0, 1, 2].item(), 0.0]


def test_autocast_lowers_the_precision_and_nothing_else() -> None:
    query, target = unit(2, 5, 9, 32, seed=0).requires_grad_(), unit(2, 6, 9, 32, seed=1).requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = region_chamfer(query, target)
    torch.autograd.backward(found.sum())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, naive(query, target), rtol=0, atol=1e-2)
    for tensor in (query, target):
        assert tensor.grad is not None
        assert tensor.grad.dtype == torch.float32
        assert tensor.grad.abs().sum() > 0
