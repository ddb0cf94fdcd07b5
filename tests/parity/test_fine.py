"""fine_grained.npz: the fine students, in the reference's rule for masks."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dns_core.measurement.paper_tables.pair_scoring import matrix_score, pair_matrix
from dns_core.models.fine import FineStudent
from dns_core.models.pair_network import PairNetwork
from tests.oracles.reference_files import arrays, figures

NAMES = ["f004", "f007", "f030", "f064", "f150"]
PAIRS = [("f030", "f064"), ("f007", "f030"), ("f004", "f150"), ("f150", "f064")]
WINDOWS = [16, 32, 64, 73, 147, 2048]
FINE = arrays("fine_grained.npz")

Close = Callable[..., None]
Padded = Callable[[list[str], int], tuple[Tensor, Tensor]]


@pytest.fixture(params=["att", "bin", "none"])
def student(request: pytest.FixtureRequest, build: Callable[..., Any]) -> tuple[str, FineStudent]:
    return request.param, build(f"fg_{request.param}")


def cross(network: PairNetwork, queries: Any, targets: Any) -> Tensor:
    """Every query of one padded batch with every target of another."""
    (query, query_mask), (target, target_mask) = queries, targets
    rows = []
    for i in range(len(query)):
        own = None if query_mask is None else query_mask[i : i + 1]
        rows.append(network.pair_similarity(query[i : i + 1], target, own, target_mask)[0])
    return torch.stack(rows)


def test_unpadded_pairs(student: tuple[str, FineStudent], videos: dict[str, Tensor], close: Close) -> None:
    kind, network = student
    with torch.no_grad():
        indexes = [network.index(video.unsqueeze(0)) for video in videos.values()]
        found = torch.tensor([[network.pair_similarity(q, t)[0].item() for t in indexes] for q in indexes])
    close(found, FINE[f"{kind}/pairs"])


@pytest.mark.parametrize(("query", "target"), PAIRS)
def test_every_stage_of_a_pair(
    student: tuple[str, FineStudent], videos: dict[str, Tensor], query: str, target: str, close: Close
) -> None:
    kind, network = student
    with torch.no_grad():
        q, t = (network.index(videos[name].unsqueeze(0)) for name in (query, target))
        matrix = network.frame_similarity(q, t)
        windows, _ = network.comparator(matrix)
    close(matrix[0], FINE[f"{kind}/f2f/{query}_{target}"])
    # The comparator's outputs reach into the tens before the hard-tanh.
    close(windows[0], FINE[f"{kind}/raw/{query}_{target}"], 1e-4)
    close(F.hardtanh(windows[0]), FINE[f"{kind}/htanh/{query}_{target}"])


def test_padded_batches(student: tuple[str, FineStudent], padded: Padded, close: Close) -> None:
    kind, network = student
    with torch.no_grad():
        query, query_mask = padded(NAMES[:3], 30)
        target, target_mask = padded(NAMES[2:], 150)
        query, target = network.index(query, query_mask), network.index(target, target_mask)
        close(cross(network, (query, query_mask), (target, target_mask)), FINE[f"{kind}/batch/masked"])
        close(cross(network, (query, None), (target, None)), FINE[f"{kind}/batch/padded_nomask"])
        one_sided = cross(network, (query, query_mask), (target, None))
        close(one_sided, FINE[f"{kind}/batch/only_query_mask"])
        everything, mask = padded(NAMES, 150)
        everything = network.index(everything, mask)
        close(cross(network, (everything, mask), (everything, mask)), FINE[f"{kind}/batch/all5_masked"])


def test_every_stage_of_a_masked_batch(
    student: tuple[str, FineStudent], padded: Padded, close: Close
) -> None:
    kind, network = student
    query, query_mask = padded(NAMES[:3], 30)
    target, target_mask = padded(NAMES[2:], 150)
    with torch.no_grad():
        query, target = network.index(query, query_mask), network.index(target, target_mask)
        matrix = torch.cat([network.frame_similarity(query[i : i + 1], target) for i in range(3)])
        mask = (query_mask[:, None, :, None] & target_mask[None, :, None, :]).flatten(0, 1)
        windows, valid = network.comparator(matrix, mask)
        paired = network.frame_similarity(query[1:2], target[1:2])
    close(matrix[1] * mask[1], FINE[f"{kind}/batch/f2f_pair01"])
    np.testing.assert_array_equal(mask[1].numpy(), FINE[f"{kind}/batch/f2f_mask_pair01"].astype(bool))
    close(windows, FINE[f"{kind}/batch/raw"], 1e-4)
    np.testing.assert_array_equal(valid.numpy(), FINE[f"{kind}/batch/pooled_mask"].astype(bool))
    close(F.hardtanh(windows[1]), FINE[f"{kind}/batch/htanh_pair01"])
    pair_mask = query_mask[1:2, :, None] & target_mask[1:2, None, :]
    close(paired * pair_mask, FINE[f"{kind}/batch/f2f_batched_pair1"])


@pytest.mark.parametrize("window_frames", WINDOWS)
def test_targets_in_chunks(
    student: tuple[str, FineStudent], videos: dict[str, Tensor], window_frames: int, close: Close
) -> None:
    kind, network = student
    with torch.no_grad():
        target = network.index(videos["f150"].unsqueeze(0))[0]
        found = []
        for name in ("f030", "f007"):
            matrix = pair_matrix(network, network.index(videos[name].unsqueeze(0))[0], target)
            found.append(matrix_score(network, matrix, window_frames=window_frames))
    close(torch.tensor(found), FINE[f"{kind}/chunked/{window_frames}"])


def test_three_frames_in_a_masked_batch(
    student: tuple[str, FineStudent], padded: Padded, close: Close
) -> None:
    kind, network = student
    with torch.no_grad():
        regions, mask = padded(["f030", "f064"], 64)
        mask[0, 3:] = False
        index = network.index(regions, mask)
        close(cross(network, (index, mask), (index, mask)), FINE[f"{kind}/batch/t3_masked"])


def test_attention_index(build: Callable[..., Any], videos: dict[str, Tensor], close: Close) -> None:
    network = build("fg_att")
    with torch.no_grad():
        for name, video in videos.items():
            index = network.index(video.unsqueeze(0))[0]
            close(network.attention.weights(video), FINE[f"att/weights/{name}"])
            if f"att/index/{name}" in FINE:
                close(index, FINE[f"att/index/{name}"])
        close(index[:8], FINE["att/index/f150_head8"])
        close(index.sum((1, 2)), FINE["att/index/f150_framesum"], 2e-4)


def test_binary_index(build: Callable[..., Any], videos: dict[str, Tensor]) -> None:
    network = build("fg_bin")
    # Projections below 1e-6 may fall on either side of 0 by the order of summation.
    uncertain: Mapping[str, Any] = figures("manifest.json")["checks"]["bin_near_zero_projections_below_1e-6"]
    compared = 0
    for name, video in videos.items():
        if f"bin/index/{name}" not in FINE:
            continue
        with torch.no_grad():
            found = network.index(video.unsqueeze(0))[0].numpy()
        expected = FINE[f"bin/index/{name}"].astype(np.float32)
        for place in uncertain[name]:
            found[tuple(place)] = expected[tuple(place)]
        np.testing.assert_array_equal(found, expected)
        compared += 1
    assert compared >= 3


def test_smooth_signs_in_training_and_regions_of_zeros(
    build: Callable[..., Any], videos: dict[str, Tensor], close: Close
) -> None:
    network = build("fg_bin")
    holed = videos["f004"].clone()
    holed[1, 2] = 0
    with torch.no_grad():
        index = network.index(holed.unsqueeze(0))
        assert (index[0, 1, 2] == 0).all()
        disagree = (index[0].numpy() != FINE["bin/zero_region_index"]).sum()
        assert disagree <= 1, "one projection of f004 is near 0"
        f007 = network.index(videos["f007"].unsqueeze(0))
        close(network.pair_similarity(index, f007)[0], FINE["bin/zero_region_self"][0], 1e-3)
        network.train()
        # erf of a projection over 1.4e-3 multiplies rounding by 700.
        close(network.index(videos["f007"].unsqueeze(0))[0], FINE["bin/erf_train/f007"], 1e-3)


def test_where_the_reference_fails_it_says_so(student: tuple[str, FineStudent]) -> None:
    kind, network = student
    assert "too small" in figures("manifest.json")["checks"][f"{kind}_t3_unpadded"]
    short = torch.nn.functional.normalize(torch.randn(1, 3, 9, 512), dim=-1)
    with pytest.raises(ValueError, match="needs 4 frames"):
        network(short, short)
