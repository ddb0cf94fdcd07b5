"""Our own rule: a video, or a pair, scores the same alone and padded in any batch."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from dns_core.models.fine import FineStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.registry import build_network
from dns_core.models.teacher import Teacher

SMALL: dict[str, dict[str, Any]] = {
    "teacher": {"dims": 64},
    "fine_attention": {"dims": 64},
    "fine_binary": {"dims": 64, "binary_bits": 128},
}
LENGTHS = [1, 2, 3, 4, 5, 7, 8, 30]


@pytest.fixture(params=[*SMALL, "teacher_symmetric"])
def network(request: pytest.FixtureRequest) -> Iterator[PairNetwork]:
    torch.manual_seed(3)
    name: str = request.param
    symmetric = {"symmetric": True} if name == "teacher_symmetric" else {}
    built = build_network(
        name.removesuffix("_symmetric"), {**SMALL[name.removesuffix("_symmetric")], **symmetric}
    )
    assert isinstance(built, PairNetwork)
    with torch.no_grad():
        # Fresh weights give outputs near 0; these reach beyond the clip at 1.
        built.comparator.fconv.weight *= 8
        yield built.eval()


def videos(lengths: list[int], seed: int = 0) -> list[Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return [F.normalize(torch.randn(n, 9, 64, generator=rng), dim=-1) for n in lengths]


def batch(regions: list[Tensor], n_frames: int) -> tuple[Tensor, Tensor]:
    padded = torch.stack([F.pad(video, (0, 0, 0, 0, 0, n_frames - len(video))) for video in regions])
    mask = torch.stack([torch.arange(n_frames) < len(video) for video in regions])
    return padded, mask


@pytest.mark.parametrize("n_frames", [30, 31, 37, 64])
def test_a_pair_scores_the_same_alone_and_in_a_batch(network: PairNetwork, n_frames: int) -> None:
    queries, targets = videos(LENGTHS, 1), videos(LENGTHS[::-1], 2)
    alone = [network(q[None], t[None]) for q, t in zip(queries, targets, strict=True)]
    (query, query_mask), (target, target_mask) = batch(queries, n_frames), batch(targets, 2 * n_frames)
    # What is in the padding must not matter either.
    query[~query_mask] = 0.3
    target[~target_mask] = -0.2
    together, regularisation = network(query, target, query_mask, target_mask)
    torch.testing.assert_close(together, torch.cat([s for s, _ in alone]), rtol=0, atol=2e-6)
    torch.testing.assert_close(regularisation, torch.stack([r for _, r in alone]).sum(), rtol=1e-4, atol=1e-5)
    assert together.abs().max() <= 1
    assert together.std() > 1e-3


def test_it_is_the_masked_rule_of_the_reference(network: PairNetwork) -> None:
    (query, query_mask), (target, target_mask) = batch(videos([5, 30]), 32), batch(videos([7, 19]), 32)
    index, target_index = network.index(query, query_mask), network.index(target, target_mask)
    ours, _ = network.pair_similarity(index, target_index, query_mask, target_mask)
    network.comparator.compatibility = "reference"
    theirs, _ = network.pair_similarity(index, target_index, query_mask, target_mask)
    torch.testing.assert_close(ours, theirs)
    unmasked, _ = network.pair_similarity(index, target_index)
    assert (unmasked - theirs).abs().max() > 1e-4


def test_a_mask_on_one_side_counts(network: PairNetwork) -> None:
    query, target = videos([6])[0], videos([9], 5)[0]
    padded, mask = batch([query], 12)
    expected, _ = network(query[None], target[None])
    torch.testing.assert_close(network(padded, target[None], mask)[0], expected, rtol=0, atol=2e-6)
    swapped, _ = network(target[None], query[None])
    torch.testing.assert_close(network(target[None], padded, None, mask)[0], swapped, rtol=0, atol=2e-6)


def test_padding_is_not_regularised(network: PairNetwork) -> None:
    query, target = videos([6])[0], videos([9], 5)[0]
    with torch.no_grad():
        # What the comparator says of padding is its last bias: beyond the bound.
        assert network.comparator.fconv.bias is not None
        network.comparator.fconv.bias.fill_(-1.5)
    _, expected = network(query[None], target[None])
    padded, mask = batch([query], 32)
    _, regularisation = network(padded, target[None], mask)
    torch.testing.assert_close(regularisation, expected)


def test_one_query_against_many_targets(network: PairNetwork) -> None:
    query, query_mask = batch(videos([6]), 8)
    target, target_mask = batch(videos([9, 4, 13], 5), 13)
    index, target_index = network.index(query, query_mask), network.index(target, target_mask)
    together, _ = network.pair_similarity(index, target_index, query_mask, target_mask)
    repeated, _ = network.pair_similarity(
        index.expand(3, -1, -1, -1), target_index, query_mask.expand(3, -1), target_mask
    )
    torch.testing.assert_close(together, repeated, rtol=0, atol=2e-6)


def test_a_video_without_frames_is_similar_to_nothing(network: PairNetwork) -> None:
    query, target = videos([5])[0][None], videos([6], 4)[0][None]
    nothing = torch.zeros(1, 6, dtype=torch.bool)
    similarity, regularisation = network(query, target, torch.ones(1, 5, dtype=torch.bool), nothing)
    assert similarity.item() == 0
    assert regularisation.item() == 0


@pytest.mark.parametrize("architecture", ["coarse", "selector"])
def test_a_video_has_the_same_index_alone_and_in_a_batch(architecture: str) -> None:
    torch.manual_seed(0)
    small = {"dims": 64, "transformer_feedforward_dims": 32, "netvlad_clusters": 4, "netvlad_outdims": 16}
    network: Any = build_network(architecture, small if architecture == "coarse" else {"dims": 64}).eval()
    regions = videos([*LENGTHS, 70, 33, 5, 64, 33])
    padded, mask = batch(regions, 80)
    padded[~mask] = 0.3
    mask[-1] = False
    # torch's fast path through the transformer, taken without gradients, is the one that knows NaN.
    with torch.inference_mode():
        together = network.index(padded, mask)
        alone = torch.cat([network.index(video[None]) for video in regions[:-1]])
    torch.testing.assert_close(together[:-1], alone, rtol=0, atol=2e-6)
    assert (together[-1] == 0).all()


def test_replicate_padding_takes_true_lengths_only() -> None:
    network = Teacher(64, padding="replicate").eval()
    query, target = videos([6])[0][None], videos([9], 5)[0][None]
    every = torch.ones(1, 6, dtype=torch.bool)
    similarity, _ = network(query, target, every, torch.ones(1, 9, dtype=torch.bool))
    torch.testing.assert_close(similarity, network(query, target)[0])
    with pytest.raises(ValueError, match="replicate padding knows no masks"):
        network(query, target, every, torch.arange(9)[None] < 7)


def test_replicate_padding_continues_videos_shorter_than_a_window() -> None:
    network = Teacher(64, padding="replicate").eval()
    query, target = videos([2])[0][None], videos([9], 5)[0][None]
    longer = torch.cat([query, query[:, -1:], query[:, -1:]], dim=1)
    torch.testing.assert_close(network(query, target)[0], network(longer, target)[0])


def test_the_rule_of_the_reference_needs_four_frames() -> None:
    network = FineStudent(64, compatibility="reference").eval()
    with pytest.raises(ValueError, match="needs 4 frames"):
        network(videos([3])[0][None], videos([9])[0][None])


def test_gates_of_the_teacher_stay_in_range_while_their_vector_grows() -> None:
    network = Teacher(64)
    assert network.attention is not None
    with torch.no_grad():
        network.attention.context_vector.weight *= 7
        weights = network.attention.weights(videos([50])[0])
    assert weights.min() >= 0
    assert weights.max() <= 1


def test_codes_of_regions_without_content_are_all_ones() -> None:
    network = FineStudent(64, binarization=True).eval()
    code: Callable[[Tensor], Tensor] = network.index
    assert (code(torch.zeros(1, 1, 9, 64)) == 1).all()
    assert set(code(videos([4])[0][None]).flatten().tolist()) == {-1.0, 1.0}


def test_smooth_signs_approach_signs_as_sigma_falls() -> None:
    network = FineStudent(64, binarization=True).train()
    assert network.binarization is not None
    regions = videos([4])[0][None]
    distances = []
    for sigma in (1e-1, 1e-3, 1e-6):
        network.binarization.sigma = sigma
        distances.append((network.index(regions).abs() - 1).abs().mean().item())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.01
