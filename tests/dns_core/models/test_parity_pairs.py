"""Teacher and fine students against the reference, in its own mask rule."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dns_core.models.fine import FineStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.teacher import Teacher
from tests.oracles.parity_rule import feature_set

NAMES = ["f004", "f007", "f030", "f064", "f150"]
KINDS = {"att": {"attention": True}, "bin": {"binarization": True}, "none": {}}

Close = Callable[..., None]


@pytest.fixture(params=KINDS)
def student(request: pytest.FixtureRequest, with_rule: Callable[..., Any]) -> tuple[str, FineStudent]:
    kind: str = request.param
    return kind, with_rule(FineStudent(512, compatibility="reference", **KINDS[kind]), f"fg_{kind}")


def all_pairs(network: PairNetwork, videos: Mapping[str, Tensor]) -> Tensor:
    """Rows are queries; each pair at its true length."""
    with torch.no_grad():
        indexes = [network.index(video.unsqueeze(0)) for video in videos.values()]
        return torch.tensor([[network.pair_similarity(q, t)[0].item() for t in indexes] for q in indexes])


def cross(network: PairNetwork, queries: Any, targets: Any) -> Tensor:
    """Every query of one padded batch with every target of another."""
    (query, query_mask), (target, target_mask) = queries, targets
    rows = [
        network.pair_similarity(query[i : i + 1], target, *_row(query_mask, i), target_mask)[0]
        for i in range(len(query))
    ]
    return torch.stack(rows)


def _row(mask: Tensor | None, i: int) -> tuple[Tensor | None]:
    return (None if mask is None else mask[i : i + 1],)


def test_unpadded_pairs(
    student: tuple[str, FineStudent], videos: dict[str, Tensor], golden: Mapping[str, Any], close: Close
) -> None:
    kind, network = student
    close(all_pairs(network, videos), golden[f"fine/{kind}/pairs"])


def test_padded_batches(
    student: tuple[str, FineStudent], padded: Callable[..., Any], golden: Mapping[str, Any], close: Close
) -> None:
    kind, network = student
    with torch.no_grad():
        query, query_mask = padded(["f004", "f007", "f030"], 30)
        target, target_mask = padded(["f030", "f064", "f150"], 150)
        query, target = network.index(query, query_mask), network.index(target, target_mask)
        masked = cross(network, (query, query_mask), (target, target_mask))
        close(masked, golden[f"fine/{kind}/batch/masked"])
        close(cross(network, (query, None), (target, None)), golden[f"fine/{kind}/batch/padded_nomask"])
        one_sided = cross(network, (query, query_mask), (target, None))
        close(one_sided, golden[f"fine/{kind}/batch/only_query_mask"])
        everything, mask = padded(NAMES, 150)
        everything = network.index(everything, mask)
        both = cross(network, (everything, mask), (everything, mask))
        close(both, golden[f"fine/{kind}/batch/all5_masked"])


def test_three_frames_in_a_masked_batch(
    student: tuple[str, FineStudent], padded: Callable[..., Any], golden: Mapping[str, Any], close: Close
) -> None:
    kind, network = student
    with torch.no_grad():
        regions, mask = padded(["f030", "f064"], 64)
        mask[0, 3:] = False
        index = network.index(regions, mask)
        close(cross(network, (index, mask), (index, mask)), golden[f"fine/{kind}/batch/t3_masked"])


def test_frame_similarity(
    student: tuple[str, FineStudent], videos: dict[str, Tensor], golden: Mapping[str, Any], close: Close
) -> None:
    kind, network = student
    with torch.no_grad():
        query, target = (network.index(videos[name].unsqueeze(0)) for name in ("f007", "f030"))
        close(network.frame_similarity(query, target)[0], golden[f"fine/{kind}/f2f/f007_f030"])


def test_comparator_output_and_its_mask(
    with_rule: Callable[..., Any], padded: Callable[..., Any], golden: Mapping[str, Any], close: Close
) -> None:
    network = with_rule(FineStudent(512, attention=True, compatibility="reference"), "fg_att")
    query, query_mask = padded(["f004", "f007", "f030"], 30)
    target, target_mask = padded(["f030", "f064", "f150"], 150)
    with torch.no_grad():
        query, target = network.index(query, query_mask), network.index(target, target_mask)
        matrix = torch.cat([network.frame_similarity(query[i : i + 1], target) for i in range(3)])
        mask = query_mask[:, None, :, None] & target_mask[None, :, None, :]
        windows, valid = network.comparator(matrix, mask.flatten(0, 1))
    close(windows, golden["fine/att/batch/raw"])
    np.testing.assert_array_equal(valid.numpy(), golden["fine/att/batch/pooled_mask"].astype(bool))


def test_attention_index(
    with_rule: Callable[..., Any], videos: dict[str, Tensor], golden: Mapping[str, Any], close: Close
) -> None:
    network = with_rule(FineStudent(512, attention=True), "fg_att")
    with torch.no_grad():
        close(network.index(videos["f004"].unsqueeze(0))[0], golden["fine/att/index/f004"])
        close(network.attention.weights(videos["f004"]), golden["fine/att/weights/f004"])


def test_binary_index_training_index_and_zero_regions(
    with_rule: Callable[..., Any], videos: dict[str, Tensor], golden: Mapping[str, Any], close: Close
) -> None:
    network = with_rule(FineStudent(512, binarization=True, compatibility="reference"), "fg_bin")
    holed = videos["f004"].clone()
    holed[1, 2] = 0
    with torch.no_grad():
        # No projection of f007 is near 0, so every sign is certain.
        close(network.index(videos["f007"].unsqueeze(0))[0], golden["fine/bin/index/f007"].astype(np.float32))
        index = network.index(holed.unsqueeze(0))
        assert (index[0, 1, 2] == 0).all()
        disagree = (index[0].numpy() != golden["fine/bin/zero_region_index"]).sum()
        assert disagree <= 1, "one projection of f004 is near 0"
        f007 = network.index(videos["f007"].unsqueeze(0))
        close(network.pair_similarity(index, f007)[0], golden["fine/bin/zero_region_self"][0], 1e-3)
        network.train()
        # erf of a projection over 1.4e-3 multiplies rounding by 700.
        close(network.index(videos["f007"].unsqueeze(0))[0], golden["fine/bin/erf_train/f007"], 1e-3)


@pytest.mark.parametrize("model", ["teacher512", "teacher512_sym", "teacher512_zero_pad"])
def test_teacher_pairs(
    model: str,
    with_rule: Callable[..., Any],
    videos: dict[str, Tensor],
    golden: Mapping[str, Any],
    close: Close,
) -> None:
    padding: Any = "zeros" if model.endswith("zero_pad") else "replicate"
    network = Teacher(512, symmetric=model.endswith("sym"), padding=padding, compatibility="reference")
    with_rule(network, model.removesuffix("_zero_pad"))
    close(all_pairs(network, videos), golden[f"teacher/{model}/pairs"])


@pytest.mark.parametrize("model", ["teacher512", "teacher512_sym"])
def test_teacher_stages(
    model: str,
    with_rule: Callable[..., Any],
    videos: dict[str, Tensor],
    golden: Mapping[str, Any],
    close: Close,
) -> None:
    network = Teacher(512, symmetric=model.endswith("sym"), padding="replicate", compatibility="reference")
    with_rule(network, model)
    assert network.attention is not None
    with torch.no_grad():
        close(network.attention.weights(videos["f030"]), golden[f"teacher/{model}/attention/f030"])
        index = {name: network.index(video.unsqueeze(0)) for name, video in videos.items()}
        windows, _ = network.comparator(network.frame_similarity(index["f004"], index["f150"]))
        close(windows[0], golden[f"teacher/{model}/raw/f004_f150"])
        queries = torch.cat([index["f030"], index["f064"][:, :30]])
        targets = torch.cat([index["f064"], index["f150"][:, :64]])
        close(network.pair_similarity(queries, targets)[0], golden[f"teacher/{model}/paired_batch"])


def test_teacher_of_full_precision(
    with_rule: Callable[..., Any], golden: Mapping[str, Any], close: Close
) -> None:
    names = ("f004", "f007", "f030")
    wide = feature_set(3840)
    network = with_rule(Teacher(3840, padding="replicate", compatibility="reference"), "teacher3840")
    pairs = all_pairs(network, {name: torch.from_numpy(wide[name].astype(np.float32)) for name in names})
    close(pairs, golden["teacher/teacher3840/pairs"])
