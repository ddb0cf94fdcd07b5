"""The fine similarity of two whole videos, under the reference's rule or ours."""

from collections.abc import Iterator

import torch
from torch import Tensor

from dns_core.models.pair_network import PairNetwork
from dns_core.similarity.comparator import STRIDE
from dns_core.store.feature_parts import frame_windows

WINDOW_FRAMES = 2048
"""Frames of a target that are compared at once, as in the reference."""


@torch.inference_mode()
def pair_matrix(network: PairNetwork, query: Tensor, target: Tensor) -> Tensor:
    """``[Tq, Tt]`` similarities of all frames of ``query [Tq, R, D']`` and ``target [Tt, R, D']``."""
    return network.frame_similarity(query.to(target.device).unsqueeze(0), target.unsqueeze(0))[0]


@torch.inference_mode()
def matrix_score(network: PairNetwork, matrix: Tensor, *, window_frames: int = WINDOW_FRAMES) -> float:
    """Similarity in [-1, 1] of the two videos whose frames' similarities are ``matrix [Tq, Tt]``.

    The reference cuts long targets at every ``window_frames``, drops a rest under 4 frames and takes the
    mean over the pieces, of any length: a short match in a long video is diluted (pieces of 16
    frames moved one score from .52 to -.15). Corrected, pieces are nearly equal and the best one counts.

    Args:
        network: its comparator's compatibility is the rule.
        matrix: as `pair_matrix` gives it.
        window_frames: longest piece of the target.
    """
    reference = network.comparator.compatibility == "reference"
    cut = _reference_windows if reference else frame_windows
    parts = [
        network.matrix_similarity(matrix[:, window].unsqueeze(0))[0]
        for window in cut(matrix.shape[1], window_frames)
    ]
    scores = torch.cat(parts)
    return float(scores.mean() if reference else scores.max())


def _reference_windows(n_frames: int, most: int) -> Iterator[slice]:
    for start in range(0, n_frames, most):
        stop = min(start + most, n_frames)
        if stop - start >= STRIDE:
            yield slice(start, stop)
