"""NetVLAD: what a set of vectors adds to each of K centres, as one vector."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class NetVLAD(nn.Module):
    """Soft-assigned residuals to K centres, normalised within a cluster and as a whole, then reduced.

    The sum of residuals is ``a^T x - sum(a) c``, so nothing of size [B, T, K, D] exists.

    Args:
        dims: D.
        clusters: K.
        outdims: E, the length of the result.

    Reference: Arandjelovic et al., "NetVLAD", CVPR 2016; DnS, IJCV 2022, section 4.2.
    """

    def __init__(self, dims: int, clusters: int, outdims: int | None) -> None:
        super().__init__()
        self.centroids = nn.Parameter(torch.randn(clusters, dims) / math.sqrt(dims))
        self.conv = nn.Conv2d(dims, clusters, kernel_size=1, bias=False)
        with torch.no_grad():
            self.conv.weight.copy_(self.centroids[:, :, None, None])
        full = clusters * dims
        self.reduction_layer = None if outdims is None else nn.Linear(full, outdims, bias=False)
        if self.reduction_layer is not None:
            nn.init.normal_(self.reduction_layer.weight, std=1 / math.sqrt(full))
        self.norm = nn.LayerNorm(full if outdims is None else outdims)

    def forward(self, vectors: Tensor, mask: Tensor | None = None) -> Tensor:
        """``[B, E]`` of ``vectors [B, N, D]``; where ``mask [B, N]`` is False a vector adds nothing."""
        return self.reduced(self.residuals(vectors, mask))

    def residuals(self, vectors: Tensor, mask: Tensor | None = None) -> Tensor:
        """``[B, K D]`` of unit length, see `forward`."""
        assignment = F.linear(vectors, self.conv.weight.flatten(1)).softmax(-1)
        if mask is not None:
            assignment = assignment * mask.unsqueeze(-1)
        total = assignment.sum(1).unsqueeze(-1)
        residuals = assignment.mT @ vectors - total * self.centroids
        return F.normalize(F.normalize(residuals, dim=2).flatten(1), dim=1)

    def reduced(self, residuals: Tensor) -> Tensor:
        """``[B, E]`` of what `residuals` gives."""
        reduced: Tensor = self.norm(
            residuals if self.reduction_layer is None else self.reduction_layer(residuals)
        )
        return reduced
