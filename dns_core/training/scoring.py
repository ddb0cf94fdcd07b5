"""Similarities of many pairs by one network, a block of targets at a time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.teacher import Teacher
from dns_core.ports import Progress
from dns_core.records import Float32Array
from dns_core.training.batches import FeatureSet, padded

FineNetwork = Teacher | FineStudent


@torch.inference_mode()
def fine_similarities(
    network: FineNetwork,
    features: FeatureSet,
    pairs: Sequence[tuple[str, str]],
    *,
    progress: Progress,
    block_frames: int = 1024,
) -> Float32Array:
    """``[P]`` similarities in [-1, 1] of (query, target) pairs, in the order given.

    Args:
        network: in evaluation mode.
        features: where the videos are read from.
        pairs: ids of query and target.
        progress: shown over queries.
        block_frames: target frames compared at once, which bounds the memory.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, (query, _) in enumerate(pairs):
        rows_of[query].append(row)
    scores: Float32Array = np.zeros(len(pairs), dtype=np.float32)
    for query, rows in progress.track(rows_of.items(), "scoring pairs", len(rows_of)):
        query_index, query_mask = _indexed(network, features, [query])
        for block in _blocks(features, pairs, rows, block_frames):
            target_index, target_mask = _indexed(network, features, [pairs[row][1] for row in block])
            similarity, _ = network.pair_similarity(
                query_index.expand(len(block), -1, -1, -1),
                target_index,
                query_mask.expand(len(block), -1),
                target_mask,
            )
            scores[block] = similarity.float().cpu().numpy()
    return scores


@torch.inference_mode()
def coarse_vectors(
    network: CoarseStudent, features: FeatureSet, ids: Sequence[str], *, batch_videos: int = 32
) -> dict[str, Float32Array]:
    """The unit vector ``[D]`` of each video."""
    vectors: dict[str, Float32Array] = {}
    by_length = sorted(ids, key=features.n_frames)
    for start in range(0, len(by_length), batch_videos):
        batch = by_length[start : start + batch_videos]
        for video_id, vector in zip(batch, _indexed_coarse(network, features, batch), strict=True):
            vectors[video_id] = vector.float().cpu().numpy()
    return vectors


def _indexed(network: FineNetwork, features: FeatureSet, ids: Sequence[str]) -> tuple[Tensor, Tensor]:
    regions, mask = _on_device(network, features, ids)
    return network.index(regions, mask), mask


def _indexed_coarse(network: CoarseStudent, features: FeatureSet, ids: Sequence[str]) -> Tensor:
    return network.index(*_on_device(network, features, ids))


def _on_device(
    network: FineNetwork | CoarseStudent, features: FeatureSet, ids: Sequence[str]
) -> tuple[Tensor, Tensor]:
    device = next(network.parameters()).device
    regions, mask = padded([features.regions(video_id) for video_id in ids])
    return regions.to(device), mask.to(device)


def _blocks(
    features: FeatureSet, pairs: Sequence[tuple[str, str]], rows: Sequence[int], block_frames: int
) -> Iterator[list[int]]:
    """Rows of ``pairs`` in blocks of similar target length, each under the limit of frames."""
    by_length = sorted(rows, key=lambda row: features.n_frames(pairs[row][1]))
    block: list[int] = []
    for row in by_length:
        longest = features.n_frames(pairs[row][1])
        if block and longest * (len(block) + 1) > block_frames:
            yield block
            block = []
        block.append(row)
    yield block
