"""The selector against the reference, in its own mask rule."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dns_core.models.selector import Selector

NAMES = ["f004", "f007", "f030", "f064", "f150"]


def test_numbers_of_videos(
    with_rule: Callable[..., Any],
    videos: dict[str, Tensor],
    padded: Callable[..., tuple[Tensor, Tensor]],
    golden: Mapping[str, Any],
    close: Callable[..., None],
) -> None:
    network = with_rule(Selector(512, compatibility="reference"), "selector")
    regions, mask = padded(NAMES, 150)
    with torch.no_grad():
        close(network.self_similarity(videos["f030"].unsqueeze(0))[0], golden["selector/f2f/f030"])
        windows, _ = network.visil_head(network.self_similarity(videos["f030"].unsqueeze(0)))
        close(windows[0], golden["selector/raw/f030"])
        alone = torch.cat([network.index(video.unsqueeze(0)) for video in videos.values()])
        close(alone, golden["selector/index"])
        close(network.index(regions, mask), golden["selector/index_masked_batch"])
        close(network.index(regions), golden["selector/index_padded_nomask"])


def test_confidences_of_pairs(
    with_rule: Callable[..., Any], golden: Mapping[str, Any], close: Callable[..., None]
) -> None:
    network = with_rule(Selector(512), "selector")
    features = torch.from_numpy(golden["selector/features"])
    with torch.no_grad():
        close(network(features), golden["selector/scores"])
        close(network(features[:1]), golden["selector/scores"][:1])
        confidences = network(features).numpy()
    expected = np.argsort(-golden["selector/scores"][:, 0], kind="stable")
    np.testing.assert_array_equal(np.argsort(-confidences, kind="stable"), expected)
