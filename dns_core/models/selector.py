"""The selector: which pairs deserve the fine student's time."""

import torch
from torch import Tensor, nn

from dns_core.models.attention import SigmoidAttention
from dns_core.models.pair_network import zeroed
from dns_core.records import ScoringRule
from dns_core.similarity.comparator import Comparator

# One number of the query, one of the target, and their coarse similarity.
N_FEATURES = 3


class Selector(nn.Module):
    """Estimates whether the fine similarity of a pair is far from the coarse one.

    Args:
        dims: D of the whitened features.
        hidden_size: width of the perceptron.
        num_layers: its hidden layers after the first.
        compatibility: ``corrected`` or ``reference``: the mask rule of `Comparator`.

    Reference: DnS, IJCV 2022, section 4.3.
    """

    def __init__(
        self,
        dims: int = 512,
        hidden_size: int = 100,
        num_layers: int = 1,
        compatibility: ScoringRule = "corrected",
    ) -> None:
        super().__init__()
        self.attention = SigmoidAttention(dims)
        self.visil_head = Comparator("zeros", compatibility)
        self.mlp = _Perceptron(hidden_size, num_layers)

    def frames(self, regions: Tensor) -> Tensor:
        """``[B, T, D]``: the mean of each frame's gated regions ``[B, T, R, D]``."""
        frames: Tensor = self.attention(regions).mean(2)
        return frames

    def index(self, regions: Tensor, mask: Tensor | None = None) -> Tensor:
        """One number a video ``[B]``: the mean comparator output on the video's self-similarity.

        It is the same in any padding, and 0 for a video without a frame.

        Args:
            regions: ``[B, T, R, D]`` whitened region vectors.
            mask: ``[B, T]`` True where a frame is one of the video's; all are if None.
        """
        return self.index_frames(self.frames(regions), mask)

    def index_frames(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """As `index`, from what `frames` gives."""
        mask = None if mask is None else mask.bool()
        frames = zeroed(frames, mask)
        # The mean over pairs of regions of dot products is the dot product of the mean regions.
        matrix = frames @ frames.mT
        pairs = None if mask is None else mask.unsqueeze(2) & mask.unsqueeze(1)
        windows, valid = self.visil_head(matrix, pairs)
        if valid is None:
            return torch.mean(windows, (1, 2))
        return torch.sum(windows * valid, (1, 2)) / torch.sum(valid, (1, 2)).clamp(min=1)

    def logits(self, features: Tensor) -> Tensor:
        """Log-odds ``[N]`` that the fine student is needed; any N in evaluation, N > 1 in training.

        Args:
            features: ``[N, 3]``: the query's number, the target's number, the coarse similarity.
        """
        return torch.squeeze(self.mlp(features), -1)

    def forward(self, features: Tensor) -> Tensor:
        """Confidences ``[N]`` in (0, 1) that the fine student is needed."""
        return torch.sigmoid(self.logits(features))


class _Perceptron(nn.Module):
    """The layers of the decision, under the names of the reference's state dict."""

    def __init__(self, hidden_size: int, num_layers: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = N_FEATURES
        for _ in range(num_layers + 1):
            linear = nn.Linear(width, hidden_size, bias=False)
            layers += [linear, nn.BatchNorm1d(hidden_size), nn.ReLU(), nn.Dropout()]
            width = hidden_size
        self.model = nn.Sequential(*layers, nn.Linear(width, 1))
        for layer in self.model:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)

    def forward(self, features: Tensor) -> Tensor:
        logits: Tensor = self.model(features)
        return logits
