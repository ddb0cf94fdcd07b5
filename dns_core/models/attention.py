"""Region attention: gates that quieten regions without content, one weight a region."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.records import ScoringRule


class SigmoidAttention(nn.Module):
    """Each vector times ``sigmoid(u . tanh(W x + b))``, a gate in (0, 1) and not a softmax.

    Reference: DnS, IJCV 2022, section 4.1, equation 2.
    """

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.transform = nn.Linear(dims, dims)
        self.context_vector = nn.Linear(dims, 1, bias=False)
        nn.init.xavier_uniform_(self.transform.weight)
        nn.init.zeros_(self.transform.bias)
        nn.init.xavier_uniform_(self.context_vector.weight)

    def weights(self, regions: Tensor) -> Tensor:
        """The gates ``[..., 1]`` of vectors ``[..., D]``."""
        return torch.sigmoid(self.context_vector(torch.tanh(self.transform(regions))))

    def forward(self, regions: Tensor) -> Tensor:
        """Gated vectors ``[..., D]``."""
        return regions * self.weights(regions)


class CosineAttention(nn.Module):
    """Each vector times ``(u . x) / 2 + 1/2``, a gate in [0, 1] for unit vectors.

    Args:
        dims: D.
        compatibility: ``corrected`` divides by the length of ``u``, which keeps the gate in range while
            ``u`` is trained; ``reference`` trusts the weights to have unit length.

    Reference: ViSiL, ICCV 2019, section 3.1.
    """

    def __init__(self, dims: int, compatibility: ScoringRule = "corrected") -> None:
        super().__init__()
        self.compatibility = compatibility
        self.context_vector = nn.Linear(dims, 1, bias=False)
        nn.init.normal_(self.context_vector.weight)
        with torch.no_grad():
            self.context_vector.weight.copy_(F.normalize(self.context_vector.weight, dim=-1))

    def weights(self, regions: Tensor) -> Tensor:
        """The gates ``[..., 1]`` of vectors ``[..., D]``."""
        vector = self.context_vector.weight
        if self.compatibility == "corrected":
            vector = F.normalize(vector, dim=-1)
        return F.linear(regions, vector) / 2 + 0.5

    def forward(self, regions: Tensor) -> Tensor:
        """Gated vectors ``[..., D]``."""
        return regions * self.weights(regions)
