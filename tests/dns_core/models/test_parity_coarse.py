"""The coarse student against the reference, with every part of it left out once."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from dns_core.models.registry import build_network

NAMES = ["f004", "f007", "f030", "f064", "f150"]
MODELS = ["cg_small", "cg_noattention", "cg_notransformer", "cg_nonetvlad", "cg_2layers", "cg_default"]


@pytest.fixture(params=MODELS)
def student(request: pytest.FixtureRequest, figures: Mapping[str, Any], with_rule: Callable[..., Any]) -> Any:
    model: str = request.param
    return model, with_rule(build_network("coarse", figures["models"][model]["config"]), model)


def test_index(
    student: Any,
    videos: dict[str, Tensor],
    padded: Callable[..., tuple[Tensor, Tensor]],
    golden: Mapping[str, Any],
    close: Callable[..., None],
) -> None:
    model, network = student
    regions, mask = padded(NAMES, 150)
    with torch.no_grad():
        alone = torch.cat([network.index(video.unsqueeze(0)) for video in videos.values()])
        close(alone, golden[f"coarse/{model}/index"])
        close(network.index(regions, mask), golden[f"coarse/{model}/index_masked_batch"])
        close(network.index(regions), golden[f"coarse/{model}/index_padded_nomask"])


def test_training_path_gives_the_same_index(
    videos: dict[str, Tensor],
    figures: Mapping[str, Any],
    with_rule: Callable[..., Any],
    golden: Mapping[str, Any],
    close: Callable[..., None],
) -> None:
    # torch takes another way through the transformer when gradients are wanted.
    network = with_rule(build_network("coarse", figures["models"]["cg_small"]["config"]), "cg_small")
    close(network.index(videos["f030"].unsqueeze(0))[0], golden["coarse/cg_small/index"][2])
