"""Networks as small as they can be, by the role that they have in a bundle; and footage that is drawn."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from dns_core.features.backbone import Backbone
from dns_core.features.description import Description
from dns_core.features.extractor import Extractor
from dns_core.features.live_frames import LiveFrames
from dns_core.models.checkpoints import save_network
from dns_core.models.registry import build_network
from dns_core.records import UInt8Array, VideoFeatures
from dns_core.retrieval.background import Background
from dns_core.retrieval.bundle import BACKGROUND_FILE

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


def live_extractor(
    backbone: Backbone, *, batch_frames: int = 16, device: str = "cpu", **settings: Any
) -> Extractor:
    """An extractor whose description torch computes."""
    frames = LiveFrames(backbone, Description(backbone.card, **{"sampling_fps": 2.0, **settings}), device)
    return Extractor(frames, batch_frames=batch_frames)


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


def write_background(folder: Path, n_regions: int, seed: int) -> None:
    """Write a background of twelve random videos of one to six frames.

    Args:
        folder: of the bundle.
        n_regions: R of its features.
        seed: of the vectors.
    """
    rng = np.random.default_rng([seed, 12])
    videos = []
    for number in range(12):
        regions = rng.normal(size=(1 + number // 2, n_regions, DIMS)).astype(np.float32)
        regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
        videos.append(VideoFeatures(f"{number}", regions, np.arange(len(regions), dtype=np.float64)))
    Background(tuple(videos)).save(folder / BACKGROUND_FILE)


def noise_footage(seed: int, seconds: float = 12.0, fps: float = 8.0) -> UInt8Array:
    """Coloured noise under a camera that moves: every moment looks unlike the others."""
    rng = np.random.default_rng(seed)
    wall = rng.integers(0, 255, (20, 60, 3), dtype=np.uint8).repeat(16, axis=0).repeat(16, axis=1)
    n_frames = round(seconds * fps)
    lefts = np.linspace(0, wall.shape[1] - 160, n_frames).astype(int)
    tops = np.linspace(0, wall.shape[0] - 120, n_frames).astype(int)
    return np.stack([wall[t : t + 120, x : x + 160] for t, x in zip(tops, lefts, strict=True)])
