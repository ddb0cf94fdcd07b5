"""Networks as small as they can be, by the role that they have in a bundle."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dns_core.models.checkpoints import save_network
from dns_core.models.registry import build_network

DIMS = 64
_COARSE = {
    "transformer_heads": 2,
    "transformer_feedforward_dims": 32,
    "netvlad_clusters": 4,
    "netvlad_outdims": 16,
}
_CONFIGS: Mapping[str, Mapping[str, Any]] = {"coarse": _COARSE, "selector": {"hidden_size": 8}}
BUNDLE = {
    "fine_attention": "fine_attention",
    "fine_binary": "fine_binary",
    "coarse": "coarse",
    "selector_fine_attention": "selector",
    "selector_fine_binary": "selector",
}
"""Architectures by role, without the teacher."""


def write_small_networks(
    folder: Path,
    architectures: Mapping[str, str],
    seed: int,
    change: Callable[[nn.Module], object] | None = None,
) -> None:
    """Write an untrained network of `DIMS` for each name.

    Args:
        folder: where to.
        architectures: by the name of the file.
        seed: of the weights.
        change: what is done to each network first.
    """
    torch.manual_seed(seed)
    for name, architecture in architectures.items():
        config = {"dims": DIMS, **_CONFIGS.get(architecture, {})}
        network = build_network(architecture, config)
        if change is not None:
            change(network)
        path = folder / f"{name}.safetensors"
        save_network(path, network, architecture=architecture, config=config, provenance={})
