"""What calibration is fitted on without labels: frames of unrelated videos."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from dns_core.models.pair_network import PairNetwork
from dns_core.records import Float32Array
from dns_core.training.batches import FeatureSet, padded, view_id

_MOST_PAIRS = 1000


def strange_frame_similarities(
    network: PairNetwork, features: FeatureSet, ids: Sequence[str], alike: dict[str, frozenset[str]]
) -> Float32Array:
    """``[N]`` frame-frame similarities between unrelated videos, as a search meets them.

    Videos are compared with edited copies of others that share no footage with them: all of them, or the
    first thousand pairs.

    Args:
        network: in evaluation mode.
        features: where videos and edited copies are read from.
        ids: videos, of different footage.
        alike: by video, the videos that share footage with it.
    """
    pairs = itertools.islice(_strange_pairs(features, ids, alike), _MOST_PAIRS)
    found = [_matrix(network, features, *pair).ravel() for pair in pairs]
    return np.concatenate([np.empty(0, np.float32), *found])


def _strange_pairs(
    features: FeatureSet, ids: Sequence[str], alike: dict[str, frozenset[str]]
) -> Iterator[tuple[str, str]]:
    """Each video with the copies of the next one, then of the one after it, and so on."""
    for step in range(1, len(ids)):
        for number, video_id in enumerate(ids):
            unrelated_id = ids[(number + step) % len(ids)]
            if unrelated_id not in alike[video_id]:
                for view in range(features.n_views(unrelated_id)):
                    yield video_id, view_id(unrelated_id, view)


@torch.inference_mode()
def _matrix(network: PairNetwork, features: FeatureSet, query: str, target: str) -> Float32Array:
    device = next(network.parameters()).device
    indexed = [network.index(padded([features.regions(one)])[0].to(device)) for one in (query, target)]
    return np.asarray(network.frame_similarity(*indexed)[0].cpu().numpy())
