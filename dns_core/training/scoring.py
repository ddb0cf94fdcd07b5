"""Coarse vectors of many videos, a batch at a time."""

from collections.abc import Sequence

import torch

from dns_core.models.coarse import CoarseStudent
from dns_core.records import Float32Array
from dns_core.training.batches import FeatureSet, padded


@torch.inference_mode()
def coarse_vectors(
    network: CoarseStudent, features: FeatureSet, ids: Sequence[str], *, batch_videos: int = 32
) -> dict[str, Float32Array]:
    """The unit vector ``[D]`` of each video."""
    device = next(network.parameters()).device
    vectors: dict[str, Float32Array] = {}
    by_length = sorted(ids, key=features.n_frames)
    for start in range(0, len(by_length), batch_videos):
        batch = by_length[start : start + batch_videos]
        regions, mask = padded([features.regions(video_id) for video_id in batch])
        indexed = network.index(regions.to(device), mask.to(device)).float().cpu().numpy()
        vectors |= dict(zip(batch, indexed, strict=True))
    return vectors
