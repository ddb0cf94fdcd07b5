"""Chamfer similarity of frames (over regions) and of videos (over time), in torch.

Reference: Kordopatis-Zilos et al., "ViSiL: Fine-grained spatio-temporal video similarity learning",
ICCV 2019, sections 3.2 and 3.4.
"""

from typing import Any

import torch
from torch import Tensor

# Cells of the largest temporary [B, Tq * R, R, target frames of a block]: 16 MB of float32.
_BLOCK_CELLS = 1 << 22


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


def region_chamfer(query: Tensor, target: Tensor, partial: bool = False) -> Tensor:
    """Frame-frame similarity: each query region's best target region, pooled over query regions.

    Regions are never masked, as in the reference: a region of zeros has similarity 0 to everything.
    The result is differentiable. The product [B, Tq, R, R, Tt] exists for a block of target frames
    alone, and one or two bytes are kept of every R of its cells for the backward pass.

    Args:
        query: ``[B, Tq, R, D]``, or ``[1, Tq, R, D]`` to compare one query with every target.
        target: ``[B, Tt, R, D]``.
        partial: the best pair of regions alone, in place of the mean over the query's: a picture inside
            another picture is one region of it, and the others say nothing about it.

    Returns:
        ``[B, Tq, Tt]``; in [-1, 1] if the regions have at most unit length. Under autocast the products
        are of its precision, their mean of single.
    """
    if torch.is_autocast_enabled(query.device.type):
        # Here, not inside the function below: so that autograd casts the gradients back.
        dtype = torch.get_autocast_dtype(query.device.type)
        query, target = query.to(dtype), target.to(dtype)
    if query.shape[0] == 1 and target.shape[0] > 1:
        batch, n_frames = target.shape[:2]
        joined = region_chamfer(query, target.reshape(1, batch * n_frames, *target.shape[2:]), partial)
        return joined.reshape(query.shape[1], batch, n_frames).transpose(0, 1)
    cells_of_a_frame = query.shape[0] * query.shape[1] * query.shape[2] * target.shape[2]
    block = max(1, _BLOCK_CELLS // max(1, cells_of_a_frame))
    parts = [_chamfer_block(query, part, partial) for part in torch.split(target, block, dim=1)]
    return torch.cat(parts, dim=2)


def _chamfer_block(query: Tensor, target: Tensor, partial: bool) -> Tensor:
    similarity: Tensor = _RegionChamfer.apply(query, target, partial)  # type: ignore[no-untyped-call]
    return similarity


class _RegionChamfer(torch.autograd.Function):
    """`region_chamfer` of one block."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, target: Tensor, partial: bool) -> Tensor:
        n_regions = query.shape[2]
        products = torch.matmul(query.flatten(1, 2), _region_major(target).mT)
        products = products.reshape(*products.shape[:2], target.shape[2], target.shape[1])
        best, winner = products.max(2) if any(ctx.needs_input_grad) else (products.amax(2), None)
        best = best.reshape(query.shape[0], -1, n_regions, target.shape[1])
        pooled, chosen = best.max(2) if partial else (best.mean(2, dtype=_at_least_single(best)), None)
        if winner is not None:
            ctx.save_for_backward(
                query, target, winner.to(torch.uint8), None if chosen is None else chosen.to(torch.uint8)
            )
        return pooled.to(_at_least_single(best))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        query, target, winner, chosen = ctx.saved_tensors
        batch, n_frames, n_regions, dims = target.shape
        gradient = gradients[0].to(query.dtype)
        if chosen is None:
            share = (gradient / query.shape[2]).repeat_interleave(query.shape[2], dim=1)
        else:
            share = gradient.new_zeros(*gradient.shape[:2], query.shape[2], n_frames)
            share = share.scatter_(2, chosen.long().unsqueeze(2), gradient.unsqueeze(2)).flatten(1, 2)
        # A cell passes its gradient to its winning region alone.
        routed = share.new_zeros(batch, share.shape[1], n_regions, n_frames)
        routed.scatter_(2, winner.long().unsqueeze(2), share.unsqueeze(2))
        routed = routed.flatten(2)
        query_gradient = torch.matmul(routed, _region_major(target)).reshape(query.shape)
        target_gradient = torch.matmul(routed.mT, query.flatten(1, 2))
        target_gradient = target_gradient.reshape(batch, n_regions, n_frames, dims).transpose(1, 2)
        return query_gradient, target_gradient, None


def _at_least_single(values: Tensor) -> torch.dtype:
    return torch.promote_types(values.dtype, torch.float32)


def _region_major(regions: Tensor) -> Tensor:
    """``[B, R * T, D]`` of ``[B, T, R, D]``, so that the frames of one region are neighbours."""
    return regions.transpose(1, 2).flatten(1, 2)
