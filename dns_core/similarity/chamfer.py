"""Chamfer similarity of frames (over regions) and of videos (over time), in torch.

Reference: Kordopatis-Zilos et al., "ViSiL: Fine-grained spatio-temporal video similarity learning",
ICCV 2019, sections 3.2 and 3.4.
"""

from typing import Any

import torch
from torch import Tensor

# Cells of the largest temporary matrix [B, Tq * R, target frames of a block]: 32 MB of float32.
_BLOCK_CELLS = 1 << 23


def chamfer_similarity(
    matrix: Tensor, mask: Tensor | None = None, *, max_axis: int, mean_axis: int
) -> Tensor:
    """Each row's best value, averaged over the rows; bounded by the values of ``matrix``.

    A masked cell takes part in nothing, and a row without a valid cell is not averaged. Where no row
    is left the result is 0: nothing was compared.

    Args:
        matrix: similarities of any shape.
        mask: True where a cell of ``matrix`` is valid; all are if None.
        max_axis: the axis whose best value is taken.
        mean_axis: the axis that is averaged after it.

    Returns:
        ``matrix`` without the two axes.
    """
    if mask is None:
        best, axis = matrix.max(max_axis, keepdim=True).values, mean_axis
        return best.mean(axis, keepdim=True).squeeze((max_axis, mean_axis))
    best = matrix.masked_fill(~mask, -torch.inf).max(max_axis, keepdim=True).values
    valid = mask.any(max_axis, keepdim=True)
    total = best.masked_fill(~valid, 0.0).sum(mean_axis, keepdim=True)
    count = valid.sum(mean_axis, keepdim=True).clamp(min=1)
    return (total / count).squeeze((max_axis, mean_axis))


def symmetric_chamfer_similarity(
    matrix: Tensor, mask: Tensor | None = None, *, max_axis: int, mean_axis: int
) -> Tensor:
    """The mean of Chamfer similarity from rows to columns and from columns to rows."""
    forth = chamfer_similarity(matrix, mask, max_axis=max_axis, mean_axis=mean_axis)
    back = chamfer_similarity(matrix, mask, max_axis=mean_axis, mean_axis=max_axis)
    return (forth + back) / 2


def region_chamfer(query: Tensor, target: Tensor) -> Tensor:
    """Frame-frame similarity: each query region's best target region, averaged over query regions.

    Regions are never masked, as in the reference: a region of zeros has similarity 0 to everything.
    The result is differentiable. The product [Tq, R, Tt, R] is never whole in memory: the best over
    target regions is kept while they are visited, in blocks of target frames.

    Args:
        query: ``[B, Tq, R, D]``, or ``[1, Tq, R, D]`` to compare one query with every target.
        target: ``[B, Tt, R, D]``.

    Returns:
        ``[B, Tq, Tt]``; in [-1, 1] if the regions have at most unit length.
    """
    if query.shape[0] == 1 and target.shape[0] > 1:
        batch, n_frames = target.shape[:2]
        joined = region_chamfer(query, target.reshape(1, batch * n_frames, *target.shape[2:]))
        return joined.reshape(query.shape[1], batch, n_frames).transpose(0, 1)
    block = max(1, _BLOCK_CELLS // max(1, query.shape[0] * query.shape[1] * query.shape[2]))
    parts = [_chamfer_block(query, part) for part in torch.split(target, block, dim=1)]
    return torch.cat(parts, dim=2)


def _chamfer_block(query: Tensor, target: Tensor) -> Tensor:
    similarity: Tensor = _RegionChamfer.apply(query, target)  # type: ignore[no-untyped-call]
    return similarity


class _RegionChamfer(torch.autograd.Function):
    """`region_chamfer` of one block; keeps one byte a cell for the backward pass."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, target: Tensor) -> Tensor:
        batch, n_query, n_regions, dims = query.shape
        rows = query.reshape(batch, n_query * n_regions, dims)
        keep = any(ctx.needs_input_grad)
        best = torch.matmul(rows, target[:, :, 0].mT)
        winner = torch.zeros_like(best, dtype=torch.uint8) if keep else None
        for region in range(1, target.shape[2]):
            rival = torch.matmul(rows, target[:, :, region].mT)
            if winner is not None:
                winner.masked_fill_(rival > best, region)
            torch.maximum(best, rival, out=best)
        if winner is not None:
            ctx.save_for_backward(query, target, winner)
        return best.reshape(batch, n_query, n_regions, -1).mean(2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        query, target, winner = ctx.saved_tensors
        batch, n_query, n_regions, dims = query.shape
        rows = query.reshape(batch, n_query * n_regions, dims)
        share = (gradients[0] / n_regions).repeat_interleave(n_regions, dim=1)
        query_gradient = torch.zeros_like(rows)
        target_gradient = torch.empty_like(target)
        for region in range(target.shape[2]):
            routed = share.masked_fill(winner != region, 0.0)
            query_gradient.baddbmm_(routed, target[:, :, region])
            target_gradient[:, :, region] = torch.matmul(routed.mT, rows)
        return query_gradient.reshape(query.shape), target_gradient
