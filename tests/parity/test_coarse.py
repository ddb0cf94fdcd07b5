"""coarse_grained.npz: the coarse student, with every part of it left out once."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.oracles.reference_files import arrays, figures

NAMES = ["f004", "f007", "f030", "f064", "f150"]
MODELS = ["cg_small", "cg_noattention", "cg_notransformer", "cg_nonetvlad", "cg_2layers", "cg_default"]
COARSE = arrays("coarse_grained.npz")

Close = Callable[..., None]


@pytest.mark.parametrize("model", MODELS)
def test_index_and_similarities(
    model: str,
    build: Callable[..., Any],
    videos: dict[str, Tensor],
    padded: Callable[..., tuple[Tensor, Tensor]],
    close: Close,
) -> None:
    network = build(model)
    regions, mask = padded(NAMES, 150)
    with torch.no_grad():
        alone = torch.cat([network.index(video.unsqueeze(0)) for video in videos.values()])
        close(alone, COARSE[f"{model}/index"])
        close(network.index(regions, mask), COARSE[f"{model}/index_masked_batch"])
        close(network.index(regions), COARSE[f"{model}/index_padded_nomask"])
        close(alone[:2] @ alone.T, COARSE[f"{model}/sims"])


def test_every_stage(build: Callable[..., Any], videos: dict[str, Tensor], close: Close) -> None:
    network = build("cg_small")
    with torch.no_grad():
        frames = network.frame_vectors(videos["f030"].unsqueeze(0))
        mixed = network.transformer(frames)
        close(network.netvlad(mixed), COARSE["cg_small/stage_netvlad/f030"])
        if "cg_small/stage_sum_norm/f030" in COARSE:
            close(frames, COARSE["cg_small/stage_sum_norm/f030"])
            close(mixed, COARSE["cg_small/stage_transformer/f030"])


def test_training_path_gives_the_same_index(
    build: Callable[..., Any], videos: dict[str, Tensor], close: Close
) -> None:
    # torch takes another way through the transformer when gradients are wanted.
    close(build("cg_small").index(videos["f030"].unsqueeze(0))[0], COARSE["cg_small/index"][2])


def test_the_default_is_the_papers(build: Callable[..., Any]) -> None:
    assert sum(p.numel() for p in build("cg_default").parameters()) == 37_038_592
    assert figures("manifest.json")["models"]["cg_default"]["config"] == {}
