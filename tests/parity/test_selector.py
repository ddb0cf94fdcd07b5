"""selector.npz: the selector, in the reference's rule for masks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dns_core.measurement.paper_tables.budgets import selection_order
from tests.oracles.reference_files import arrays

NAMES = ["f004", "f007", "f030", "f064", "f150"]
SELECTOR = arrays("selector.npz")

Close = Callable[..., None]


def test_numbers_of_videos(
    build: Callable[..., Any],
    videos: dict[str, Tensor],
    padded: Callable[..., tuple[Tensor, Tensor]],
    close: Close,
) -> None:
    network = build("selector")
    regions, mask = padded(NAMES, 150)
    with torch.no_grad():
        frames = network.frames(videos["f030"].unsqueeze(0))
        matrix = frames @ frames.mT
        close(matrix[0], SELECTOR["f2f/f030"])
        close(network.visil_head(matrix)[0][0], SELECTOR["raw/f030"], 1e-4)
        alone = torch.cat([network.index(video.unsqueeze(0)) for video in videos.values()])
        close(alone, SELECTOR["index"])
        close(network.index(regions, mask), SELECTOR["index_masked_batch"])
        close(network.index(regions), SELECTOR["index_padded_nomask"])


def test_confidences_of_pairs_and_their_order(build: Callable[..., Any], close: Close) -> None:
    network = build("selector")
    features = torch.from_numpy(SELECTOR["features"])
    with torch.no_grad():
        confidences = network(features)
        close(confidences, SELECTOR["scores"])
        # A batch of one stops the reference in training; in evaluation both take it.
        close(network(features[:1]), SELECTOR["scores"][:1])
    order = selection_order(confidences.numpy())
    np.testing.assert_array_equal(SELECTOR["scores"][order], SELECTOR["scores"][SELECTOR["order"]])
