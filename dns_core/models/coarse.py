"""The coarse student: one vector a video, compared by cosine."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.models.attention import SigmoidAttention
from dns_core.models.netvlad import NetVLAD

# A transformer's work grows with what the videos of a batch are padded to.
_BUCKET_FRAMES = 32


@dataclass(frozen=True, slots=True)
class CoarseConfig:
    """Shape of a `CoarseStudent`; the values given are the paper's.

    Attributes:
        dims: D of the whitened features.
        attention: gate the regions before they are summed.
        transformer: mix the frames; its heads, feed-forward width, layers and dropout follow.
        netvlad: aggregate by NetVLAD with that many clusters into ``netvlad_outdims`` numbers; else the
            mean over frames, of length D.
    """

    dims: int = 512
    attention: bool = True
    transformer: bool = True
    transformer_heads: int = 8
    transformer_feedforward_dims: int = 2048
    transformer_layers: int = 1
    transformer_dropout: float = 0.1
    netvlad: bool = True
    netvlad_clusters: int = 64
    netvlad_outdims: int = 1024


class CoarseStudent(nn.Module):
    """Attention, sum over regions, transformer over frames, NetVLAD: one unit vector a video.

    Args:
        config: the shape; the paper's if None.

    Reference: DnS, IJCV 2022, section 4.2.
    """

    def __init__(self, config: CoarseConfig | None = None) -> None:
        super().__init__()
        config = config or CoarseConfig()
        dims = config.dims
        self.attention = SigmoidAttention(dims) if config.attention else None
        self.transformer = _transformer(config) if config.transformer else None
        self.netvlad = (
            NetVLAD(dims, config.netvlad_clusters, config.netvlad_outdims) if config.netvlad else None
        )

    def index(self, regions: Tensor, mask: Tensor | None = None) -> Tensor:
        """``[B, E]`` of unit length, whose dot products are similarities; the same in any padding.

        A video without a frame gets zeros: similarity 0 to everything.

        Args:
            regions: ``[B, T, R, D]`` whitened region vectors.
            mask: ``[B, T]`` True where a frame is one of the video's; all are if None.
        """
        if mask is None:
            return F.normalize(self._reduced(self._pooled(self.frame_vectors(regions), None)), dim=-1)
        mask = mask.bool()
        # Padding is most of a batch of videos of many lengths, and its regions need no looking at.
        present_frames = self.frame_vectors(regions[mask])
        frames = present_frames.new_zeros(*mask.shape, present_frames.shape[-1])
        frames[mask] = present_frames
        present = mask.any(1, keepdim=True)
        # Softmax over no frame is NaN: an absent video is read as if all its padding were frames.
        index = self._reduced(self._pooled_by_length(frames, mask | ~present))
        return F.normalize(index, dim=-1) * present

    def frame_vectors(self, regions: Tensor) -> Tensor:
        """Unit vectors ``[..., D]`` of frames ``[..., R, D]``: the gated sum over regions."""
        if self.attention is not None:
            regions = self.attention(regions)
        return F.normalize(regions.sum(-2), dim=-1)

    def forward(self, regions: Tensor, mask: Tensor | None = None) -> Tensor:
        """`index`, under the name that torch calls."""
        return self.index(regions, mask)

    def _pooled_by_length(self, frames: Tensor, mask: Tensor) -> Tensor:
        """`_pooled`, of videos of like lengths together."""
        lengths = _lengths(mask)
        buckets: dict[int, list[int]] = {}
        for row, length in enumerate(lengths):
            buckets.setdefault(-(-length // _BUCKET_FRAMES), []).append(row)
        pooled = []
        for rows in buckets.values():
            longest = max(lengths[row] for row in rows)
            pooled.append(self._pooled(frames[rows, :longest], mask[rows, :longest]))
        order = torch.tensor([row for rows in buckets.values() for row in rows], device=mask.device)
        return torch.cat(pooled)[order.argsort()]

    def _pooled(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """What is known of each video before it is brought to the length of an index."""
        if self.transformer is not None:
            frames = self.transformer(frames, src_key_padding_mask=None if mask is None else ~mask)
        if self.netvlad is not None:
            return self.netvlad.residuals(frames, mask)
        if mask is None:
            return frames.mean(1)
        return (frames * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)

    def _reduced(self, pooled: Tensor) -> Tensor:
        # For all videos at once: the gradient of this layer is as much work for one as for many.
        return pooled if self.netvlad is None else self.netvlad.reduced(pooled)


def _lengths(mask: Tensor) -> list[int]:
    """Of each video, the frames up to its last one."""
    numbers = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    lengths: list[int] = (mask * numbers).amax(1).tolist()
    return lengths


def _transformer(config: CoarseConfig) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        config.dims,
        config.transformer_heads,
        config.transformer_feedforward_dims,
        dropout=config.transformer_dropout,
        batch_first=True,
    )
    norm = nn.LayerNorm(config.dims)
    # Nested tensors would shorten a batch whose longest video is padded, and so change its shape.
    return nn.TransformerEncoder(layer, config.transformer_layers, norm, enable_nested_tensor=False)
