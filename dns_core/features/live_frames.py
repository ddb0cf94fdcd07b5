"""The description of frames as torch computes it: in training, on a GPU, and as the oracle."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.errors import ParamsError
from dns_core.features.backbone import Backbone
from dns_core.features.description import Description
from dns_core.features.luma import luma_patterns
from dns_core.precision import autocast
from dns_core.records import Float32Array, UInt8Array
from dns_core.runtime.write_graph import write_graph

_LEAST_DEVIATION = 4.0  # of brightness, on the scale [0, 255]; what compression leaves of black is below 2


def is_blank(images: Tensor) -> Tensor:
    """``[N]`` True where a picture of ``images`` ``[N, 3, H, W]`` in [0, 255] is of one brightness."""
    return images.float().mean(dim=1).flatten(1).std(dim=1) < _LEAST_DEVIATION


class LiveFrames:
    """Computes a description.

    Args:
        backbone: the network of the description's card; it is moved to ``device``.
        description: what is computed.
        device: as torch calls it, for example ``cpu`` or ``cuda:0``.

    Attributes:
        network: frames ``[N, S, S, 3]`` uint8 to regions ``[N, R, D]`` float32.

    Raises:
        ParamsError: the device is not there.
    """

    def __init__(self, backbone: Backbone, description: Description, device: str = "cpu") -> None:
        self._device = torch.device(device)
        if self._device.type == "cuda" and not torch.cuda.is_available():
            raise ParamsError(f"device {device} was asked for, but torch finds no CUDA device")
        self.description = description
        self.network = _Describing(backbone, description).eval().to(self._device)

    def __call__(self, frames: UInt8Array) -> Float32Array:
        """See `dns_core.features.description.FrameNetwork`."""
        with torch.inference_mode(), autocast(self.description.precision, self._device):
            described: Tensor = self.network(torch.from_numpy(frames).to(self._device))
        regions: Float32Array = described.cpu().numpy()
        return regions


class _Describing(nn.Module):
    def __init__(self, backbone: Backbone, description: Description) -> None:
        super().__init__()
        self.backbone = backbone
        self._luma_weight = description.luma_weight
        self._blanks = description.frame == "whole"
        # (x / 255 - mean) / std as one multiplication and one subtraction
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (backbone.card.mean, backbone.card.std))
        self.scale, self.shift = nn.Buffer(1 / (255 * std)), nn.Buffer(mean / std)

    def forward(self, frames: Tensor) -> Tensor:
        # The permuted view of [N, H, W, 3] already has the channels last in memory.
        images = frames.permute(0, 3, 1, 2)
        regions: Tensor = self.backbone(images * self.scale - self.shift)
        if self._luma_weight:
            patterns = self._luma_weight * luma_patterns(images)
            regions = F.normalize(torch.cat([regions, patterns], dim=-1), dim=-1)
        return regions.masked_fill(is_blank(images)[:, None, None], 0.0) if self._blanks else regions


def export_frames(path: Path, frames: LiveFrames) -> None:
    """Write the graph that computes the same, in single precision, for `ExportedFrames`."""
    side = frames.description.card.crop_px
    example = torch.zeros(2, side, side, 3, dtype=torch.uint8)
    write_graph(path, frames.network, example, frames.description.metadata)
