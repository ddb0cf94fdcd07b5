"""The comparator: a small CNN that looks for temporal structure in a frame-frame similarity matrix.

Reference: Kordopatis-Zilos et al., ViSiL, ICCV 2019, section 3.3; DnS, IJCV 2022, section 4.1.
"""

from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.records import ScoringRule

Padding = Literal["zeros", "replicate"]

# Two 2x2 poolings: one output cell stands for a window of 4 x 4 frames.
STRIDE = 4


class Comparator(nn.Module):
    """Three 3x3 convolutions with two 2x2 max-poolings between, and a 1x1 convolution.

    Masked cells are zero before every convolution and pooling, which is what padding by zeros looks
    like from inside: a matrix gives the same output alone and as a corner of a larger one.

    Args:
        padding: what surrounds the matrix: ``zeros``, or ``replicate`` (the edge, as in the released
            ViSiL; it knows no masks).
        compatibility: ``corrected`` completes matrices to a multiple of 4 by masked zeros, so that
            every frame counts; ``reference`` drops incomplete windows at the end of the matrix it is
            given, so that scores depend on how a batch was padded. ``replicate`` always drops.
    """

    def __init__(self, padding: Padding = "zeros", compatibility: ScoringRule = "corrected") -> None:
        super().__init__()
        self.padding = padding
        self.compatibility = compatibility
        self.conv1 = nn.Conv2d(1, 32, 3)
        self.conv2 = nn.Conv2d(32, 64, 3)
        self.conv3 = nn.Conv2d(64, 128, 3)
        self.fconv = nn.Conv2d(128, 1, 1)
        for module in self.children():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, matrix: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Similarities of 4 x 4 windows, not bounded, and which of them are valid.

        Args:
            matrix: ``[B, Tq, Tt]`` similarities.
            mask: ``[B, Tq, Tt]`` True where a cell is valid; all are if None.

        Returns:
            ``[B, ceil(Tq / 4), ceil(Tt / 4)]`` and a mask of that shape (None if all are valid), where
            a window with one valid cell is valid; the floor in place of the ceiling where windows are
            dropped.

        Raises:
            ValueError: masked cells with ``replicate``; under 4 frames where windows are dropped
                (``replicate`` repeats the edge instead).
        """
        matrix, mask = self._completed(matrix, mask)
        x = _one_channel_last(matrix if mask is None else matrix * mask)
        mask = None if mask is None else _one_channel_last(mask)
        # A maximum of rectified values is the rectified maximum: a fourth of the cells to rectify.
        x = F.relu(F.max_pool2d(self._convolved(self.conv1, x, mask), 2))
        mask = _pooled(mask)
        x = F.relu(F.max_pool2d(self._convolved(self.conv2, x, mask), 2))
        mask = _pooled(mask)
        x = self.fconv(F.relu(self._convolved(self.conv3, x, mask))).squeeze(1)
        # Means and sums follow: under autocast the convolutions end here, and half precision with them.
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        return x, None if mask is None else mask.squeeze(1)

    def _convolved(self, layer: nn.Conv2d, x: Tensor, mask: Tensor | None) -> Tensor:
        """A convolution of the same size, zero where masked."""
        if self.padding == "replicate":
            return cast(Tensor, layer(F.pad(x, (1, 1, 1, 1), mode="replicate")))
        x = F.conv2d(x, layer.weight, layer.bias, padding=1)
        return x if mask is None else x * mask

    def _completed(self, matrix: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The matrix and mask at a size that the two poolings can halve."""
        if self.padding == "replicate":
            if mask is not None and not bool(mask.all()):
                raise ValueError("replicate padding knows no masks: give pairs of true lengths")
            return _repeated_edge(matrix), None
        if self.compatibility == "reference":
            if min(matrix.shape[1:]) < STRIDE:
                raise ValueError(
                    f"the reference's rule needs {STRIDE} frames, the matrix is {matrix.shape[1:]}"
                )
            return matrix, mask
        missing = (0, -matrix.shape[2] % STRIDE, 0, -matrix.shape[1] % STRIDE)
        if not any(missing):
            return matrix, mask
        if mask is None:
            mask = torch.ones_like(matrix, dtype=torch.bool)
        return F.pad(matrix, missing), F.pad(mask, missing)


def _one_channel_last(matrix: Tensor) -> Tensor:
    """``[B, 1, H, W]`` whose strides say that channels come last; what is made of it has them last too.

    Convolutions and poolings on CPUs are more than twice as fast that way.
    """
    return matrix.unsqueeze(-1).permute(0, 3, 1, 2)


def _pooled(mask: Tensor | None) -> Tensor | None:
    """True where a 2 x 2 window has a True."""
    if mask is None:
        return None
    height, width = mask.shape[-2] // 2, mask.shape[-1] // 2
    windows = mask[..., : 2 * height, : 2 * width].reshape(*mask.shape[:-2], height, 2, width, 2)
    return windows.any(-1).any(-2)


def _repeated_edge(matrix: Tensor) -> Tensor:
    """A matrix of at least 4 x 4: smaller ones continue their last row and column."""
    missing = (0, max(0, STRIDE - matrix.shape[2]), 0, max(0, STRIDE - matrix.shape[1]))
    return F.pad(matrix.unsqueeze(1), missing, mode="replicate").squeeze(1) if any(missing) else matrix
