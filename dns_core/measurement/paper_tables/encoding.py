"""What each network keeps of a video, under the reference's rule or ours."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dns_core.measurement.paper_tables.networks import Networks
from dns_core.records import Float32Array
from dns_core.similarity.comparator import STRIDE

_BITS = 8


@dataclass(frozen=True, slots=True)
class Encoded:
    """What is kept of one video.

    Attributes:
        fines: ``[T, R, D']`` float32 by fine role.
        coarse: ``[E]``; empty without a coarse student.
        numbers: the selector's number of the video by fine role.
    """

    fines: dict[str, Tensor]
    coarse: Tensor
    numbers: dict[str, float]


def lengthened(regions: Float32Array, least: int = STRIDE) -> Float32Array:
    """``regions [T, R, D]`` repeated in whole, twice as long each time, until ``least`` frames are reached.

    The reference does so because its pooling fails on fewer (1 and 2 become 4, 3 become 6).

    Raises:
        ValueError: there is no frame to repeat (the reference never returns).
    """
    if not len(regions):
        raise ValueError("a video of no frames cannot be made longer")
    while len(regions) < least:
        regions = np.concatenate([regions, regions])
    return regions


@torch.inference_mode()
def encode(networks: Networks, regions: Float32Array) -> Encoded:
    """What the networks keep of whitened region vectors ``[T, R, D]``, T at least 1."""
    if networks.compatibility == "reference":
        regions = lengthened(regions)
    batch = torch.from_numpy(regions).unsqueeze(0).to(networks.device)
    coarse = networks.coarse.index(batch)[0] if networks.coarse is not None else torch.empty(0)
    return Encoded(
        {role: network.index(batch)[0] for role, network in networks.fines.items()},
        coarse,
        {role: float(selector.index(batch)[0]) for role, selector in networks.selectors.items()},
    )


def fine_bytes(role: str, index: Tensor) -> float:
    """Bytes of a video's fine index: one bit a number for binary codes, four bytes for others."""
    return index.numel() / _BITS if role == "fine_binary" else index.numel() * 4
