"""Binarization: real vectors to sign codes, by a rotation that is trained through a smooth sign."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.records import ScoringRule

WORD_BITS = 64


class Binarization(nn.Module):
    """Sign of the unit vector times ``W``; while training, ``erf(x W / sqrt(2 sigma))``.

    erf is the mean of the sign under Gaussian noise of variance ``sigma``. At the paper's 1e-6 most
    bits are saturated and receive no gradient; training may set ``sigma`` and anneal it.

    A projection of exactly 0 (in practice: a region without content) has no sign. One bit cannot say
    so, and ``corrected`` reads it as +1, in the index as in the packed code: regions without content
    equal one another and are at random distance from all others. ``reference`` keeps the 0.

    Args:
        dims: D.
        bits: a multiple of 64, so that a code fills its machine words.
        compatibility: see above.

    Raises:
        ValueError: ``bits`` does not fill words.

    Reference: DnS, IJCV 2022, section 4.1, equations 3 and 4.
    """

    def __init__(self, dims: int, bits: int, compatibility: ScoringRule = "corrected") -> None:
        super().__init__()
        if bits < WORD_BITS or bits % WORD_BITS:
            raise ValueError(f"bits must be a positive multiple of {WORD_BITS}, not {bits}")
        self.compatibility = compatibility
        self.sigma = 1e-6
        self.W = nn.Parameter(torch.empty(dims, bits))
        nn.init.orthogonal_(self.W)

    def forward(self, regions: Tensor) -> Tensor:
        """Codes ``[..., bits]`` of vectors ``[..., D]``: -1 or 1, between them while training."""
        projected = F.normalize(regions, dim=-1) @ self.W
        if self.training:
            return torch.erf(projected / math.sqrt(2 * self.sigma))
        if self.compatibility == "reference":
            return torch.sign(projected)
        return torch.where(projected >= 0, 1.0, -1.0).to(projected.dtype)
