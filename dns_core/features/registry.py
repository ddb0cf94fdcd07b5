"""Builds the backbones that this software knows."""

from collections.abc import Callable
from functools import partial

from torch import nn

from dns_core.features.backbone import Backbone
from dns_core.features.description import known_card
from dns_core.features.efficientnet_lite import EfficientNetLite, rename_published_keys
from dns_core.features.pretrained import read_pretrained
from dns_core.features.resnet50 import ResNet50
from dns_core.ports import WeightSource

_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "efficientnet_lite0": partial(EfficientNetLite, width=1.0, depth=1.0),
    "efficientnet_lite1": partial(EfficientNetLite, width=1.0, depth=1.1),
    "efficientnet_lite2": partial(EfficientNetLite, width=1.1, depth=1.2),
    "resnet50": ResNet50,
}


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
    card = known_card(name)
    network = _NETWORKS[name.partition(".")[0]]()
    state = read_pretrained(card, weights)
    network.load_state_dict(rename_published_keys(state) if card.package else state, strict=True)
    return Backbone(network, card)
