"""What calibration is fitted on without labels: frames of unrelated videos."""

from collections.abc import Sequence

import numpy as np
import torch

from dns_core.models.pair_network import PairNetwork
from dns_core.records import Float32Array
from dns_core.training.batches import FeatureSet, padded, view_id


def strange_frame_similarities(
    network: PairNetwork, features: FeatureSet, ids: Sequence[str], alike: dict[str, frozenset[str]]
) -> Float32Array:
    """``[N]`` frame-frame similarities between unrelated videos, as a search meets them.

    Each video is compared with an edited copy of the next one of ``ids`` that shares no footage with it.

    Args:
        network: in evaluation mode.
        features: where videos and edited copies are read from.
        ids: at least two videos of different footage.
        alike: by video, the videos that share footage with it.
    """
    similarities: list[Float32Array] = []
    for number, video_id in enumerate(ids):
        following = [*ids[number + 1 :], *ids[:number]]
        stranger = next((other for other in following if other not in alike[video_id]), None)
        if stranger is None:
            continue
        copy = view_id(stranger, number % max(features.n_views(stranger), 1))
        similarities.append(_matrix(network, features, video_id, copy).ravel())
    return np.concatenate(similarities)


@torch.inference_mode()
def _matrix(network: PairNetwork, features: FeatureSet, query: str, target: str) -> Float32Array:
    device = next(network.parameters()).device
    indexed = [network.index(padded([features.regions(one)])[0].to(device)) for one in (query, target)]
    return np.asarray(network.frame_similarity(*indexed)[0].cpu().numpy())
