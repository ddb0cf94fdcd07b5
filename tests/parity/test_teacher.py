"""teacher.npz: the ViSiL head, of 512 and of 3840 dimensions, and its constraint."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dns_core.models.attention import CosineAttention
from dns_core.models.pair_network import PairNetwork
from tests.oracles.parity_rule import feature_set
from tests.oracles.reference_files import arrays

TEACHER = arrays("teacher.npz")

Close = Callable[..., None]


def all_pairs(network: PairNetwork, videos: Mapping[str, Tensor]) -> Tensor:
    """Rows are queries; each pair at its true length."""
    with torch.no_grad():
        indexes = [network.index(video.unsqueeze(0)) for video in videos.values()]
        return torch.tensor([[network.pair_similarity(q, t)[0].item() for t in indexes] for q in indexes])


@pytest.mark.parametrize("model", ["teacher512", "teacher512_sym", "teacher512_zero_pad"])
def test_pairs(model: str, build: Callable[..., Any], videos: dict[str, Tensor], close: Close) -> None:
    changes = {"padding": "zeros"} if model.endswith("zero_pad") else {}
    close(all_pairs(build(model.removesuffix("_zero_pad"), **changes), videos), TEACHER[f"{model}/pairs"])


@pytest.mark.parametrize("model", ["teacher512", "teacher512_sym"])
def test_every_stage(model: str, build: Callable[..., Any], videos: dict[str, Tensor], close: Close) -> None:
    network = build(model)
    with torch.no_grad():
        close(network.attention.weights(videos["f030"]), TEACHER[f"{model}/attention/f030"])
        index = {name: network.index(video.unsqueeze(0)) for name, video in videos.items()}
        if f"{model}/index/f030" in TEACHER:
            close(index["f030"][0], TEACHER[f"{model}/index/f030"])
        for query, target in (("f030", "f064"), ("f004", "f150")):
            matrix = network.frame_similarity(index[query], index[target])
            close(matrix[0], TEACHER[f"{model}/f2f/{query}_{target}"])
            close(network.comparator(matrix)[0][0], TEACHER[f"{model}/raw/{query}_{target}"], 1e-4)
        queries = torch.cat([index["f030"], index["f064"][:, :30]])
        targets = torch.cat([index["f064"], index["f150"][:, :64]])
        close(network.pair_similarity(queries, targets)[0], TEACHER[f"{model}/paired_batch"])


def test_the_teacher_of_full_precision(build: Callable[..., Any], close: Close) -> None:
    wide = feature_set(3840)
    videos = {name: torch.from_numpy(wide[name].astype(np.float32)) for name in ("f004", "f007", "f030")}
    network = build("teacher3840")
    close(all_pairs(network, videos), TEACHER["teacher3840/pairs"])
    with torch.no_grad():
        index = network.index(videos["f007"].unsqueeze(0))[0]
    close(index.sum((1, 2)), TEACHER["teacher3840/index_f007_framesum"], 2e-4)


def test_the_constraint_that_the_reference_never_applies_is_part_of_the_gate(close: Close) -> None:
    # ViSiL scales its vector to unit length after a step, if it finds it under the right name.
    attention = CosineAttention(17)
    regions = torch.nn.functional.normalize(torch.randn(6, 17), dim=-1)
    for given, constrained in zip(TEACHER["l2constrain/in"], TEACHER["l2constrain/out"], strict=True):
        with torch.no_grad():
            attention.context_vector.weight.copy_(torch.from_numpy(given))
            expected = regions @ torch.from_numpy(constrained) / 2 + 0.5
            close(attention.weights(regions)[:, 0], expected.numpy())


def test_the_other_constraint_is_a_clamp_that_nothing_uses() -> None:
    clamped = np.maximum(TEACHER["l2constrain/in"], 1e-3)
    np.testing.assert_allclose(TEACHER["nonneg/out"], clamped, atol=1e-7)
