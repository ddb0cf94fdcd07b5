"""A pretrained network together with where it comes from and how its input must look."""

from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from dns_core.features.regions import GRID, region_vectors
from dns_core.store.fingerprints import fingerprint_json


@dataclass(frozen=True, slots=True)
class BackboneCard:
    """Provenance and input of pretrained weights.

    Attributes:
        name: ``architecture.tag``.
        licence: SPDX name of the licence of the weights.
        origin: who published the weights, and what they were trained on.
        papers: arXiv numbers.
        mean: of each of R, G, B, on the scale [0, 1].
        std: likewise.
        resize_px: shorter side to which frames are scaled.
        crop_px: side of the centre square that the network sees.
        stages: channels of each map that gives region vectors, from the finest to the coarsest.
        weights_sha256: of the published file; another file is refused.
        weights_url: where the file may be fetched; empty if it comes inside a Python package.
        package: that Python package.
        extra: the optional dependency of this software that brings the package; empty if it is always there.
    """

    name: str
    licence: str
    origin: str
    papers: tuple[str, ...]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize_px: int
    crop_px: int
    stages: tuple[int, ...]
    weights_sha256: str
    weights_url: str = ""
    package: str = ""
    extra: str = ""

    @property
    def dims(self) -> int:
        """D, the dimensions of a region vector."""
        return sum(self.stages)

    @property
    def regions(self) -> int:
        """R, the regions of a frame."""
        return GRID * GRID


class StageNetwork(Protocol):
    """A network that gives the maps of its stages."""

    def stage_maps(self, images: Tensor) -> list[Tensor]:
        """Maps ``[N, C, H, W]`` from the finest to the coarsest."""
        ...


class Backbone(nn.Module):
    """Images to region vectors, in evaluation mode and without gradients.

    Batch norms that directly follow a convolution among a module's children are folded into it, which
    saves about a fifth of the time on a CPU and changes region vectors by less than 1e-6.

    Attributes:
        card: where the weights come from.
        fingerprint: of all that decides its output, apart from rounding.
    """

    def __init__(self, network: nn.Module, card: BackboneCard) -> None:
        super().__init__()
        self.card = card
        self.fingerprint = fingerprint_json(
            {
                "name": card.name,
                "weights": card.weights_sha256,
                "mean": card.mean,
                "std": card.std,
                "stages": card.stages,
                "regions": f"imac{GRID}x{GRID}",
            }
        )
        network.eval().requires_grad_(False)
        _fold_norms(network)
        # Frames come with channels last, and convolutions on CPUs are faster that way.
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Region vectors ``[N, R, D]`` float32, unit length, of normalised ``images`` ``[N, 3, H, W]``."""
        return region_vectors(cast("StageNetwork", self.network).stage_maps(images))


def _fold_norms(module: nn.Module) -> None:
    """Make each convolution do the work of the norm that is the next child of the same module."""
    before, conv = "", None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and isinstance(conv, nn.Conv2d):
            module.set_submodule(before, fuse_conv_bn_eval(conv, child))
            module.set_submodule(name, nn.Identity())
        else:
            _fold_norms(child)
        before, conv = name, child
