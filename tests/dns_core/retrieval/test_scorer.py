from collections.abc import Callable

import numpy as np
import pytest
import torch

from dns_core.models.live import LiveFine
from dns_core.models.registry import build_network
from dns_core.models.teacher import Teacher
from dns_core.records import VideoFeatures
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.scorer import PackedScorer, VectorScorer, scorer_of

LENGTHS = [1, 2, 3, 4, 5, 9, 16, 17, 31, 32, 33, 64]
MakeFeatures = Callable[[str, int], VideoFeatures]


@pytest.mark.parametrize("fine", ["fine_binary", "fine_attention", "teacher"])
@torch.inference_mode()
def test_scores_and_matrices_are_those_of_the_network_pair_by_pair(
    bundle: Bundle, make_features: MakeFeatures, fine: str
) -> None:
    scorer = scorer_of(bundle.fine(fine))
    assert isinstance(scorer.network, LiveFine)
    network = scorer.network.network
    query = make_features("query", 13).regions
    targets = [make_features(f"target {n}", n).regions for n in LENGTHS]
    stored = [scorer.stored(target) for target in targets]
    scores = scorer.scores(scorer.stored(query), stored)
    matrices = scorer.matrices(scorer.stored(query), stored)
    query_index = network.index(torch.from_numpy(query)[None])
    for target, score, matrix in zip(targets, scores, matrices, strict=True):
        target_index = network.index(torch.from_numpy(target)[None])
        expected = network.frame_similarity(query_index, target_index)
        # half precision keeps 11 bits; codes keep everything
        tolerance = 1e-6 if fine == "fine_binary" else 1e-3
        np.testing.assert_allclose(matrix, expected[0].numpy(), atol=tolerance)
        similarity, _ = network.pair_similarity(query_index, target_index)
        assert score == pytest.approx(similarity.item(), abs=2e-6 + tolerance)


@pytest.mark.parametrize("fine", ["fine_binary", "fine_attention"])
def test_a_score_does_not_depend_on_its_neighbours(
    bundle: Bundle, make_features: MakeFeatures, fine: str
) -> None:
    scorer = scorer_of(bundle.fine(fine))
    query = scorer.stored(make_features("query", 13).regions)
    stored = [scorer.stored(make_features(f"target {n}", n).regions) for n in LENGTHS]
    together = scorer.scores(query, stored)
    alone = np.concatenate([scorer.scores(query, [target]) for target in stored])
    np.testing.assert_allclose(together, alone, atol=2e-6)
    copies = scorer.scores(query, [stored[5]] * 7)
    assert len(set(copies.tolist())) == 1


def test_the_memory_of_a_batch_is_bounded_and_changes_nothing(
    make_features: MakeFeatures, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    # The compiled kernels know no network that compares in both directions: it compares by itself.
    network = build_network("teacher", {"dims": 64, "symmetric": True}).eval()
    assert isinstance(network, Teacher)
    scorer = scorer_of(LiveFine(network))
    query = scorer.stored(make_features("query", 13).regions)
    stored = [scorer.stored(make_features(f"target {n}", 10).regions) for n in range(9)]
    whole = scorer.scores(query, stored)
    sizes: list[int] = []
    real = network.matrix_similarity

    def spy(matrix: torch.Tensor, *masks: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        sizes.append(matrix.numel())
        return real(matrix, *masks)

    monkeypatch.setattr("dns_core.models.live._BATCH_CELLS", 500)
    monkeypatch.setattr(network, "matrix_similarity", spy)
    np.testing.assert_allclose(scorer.scores(query, stored), whole, atol=2e-6)
    assert len(sizes) == 5
    assert max(sizes) <= 500


def test_codes_and_vectors_are_stored_small(bundle: Bundle, make_features: MakeFeatures) -> None:
    regions = make_features("a", 5).regions
    packed, vectors = scorer_of(bundle.fine("fine_binary")), scorer_of(bundle.fine("fine_attention"))
    assert isinstance(packed, PackedScorer)
    assert isinstance(vectors, VectorScorer)
    codes, halves = packed.stored(regions), vectors.stored(regions)
    assert (str(codes.dtype), codes.shape) == ("uint64", (5, 3, 1))
    assert (str(halves.dtype), halves.shape) == ("float16", (5, 3, 64))


def test_no_targets_no_scores(bundle: Bundle, make_features: MakeFeatures) -> None:
    for fine in ("fine_binary", "fine_attention"):
        scorer = scorer_of(bundle.fine(fine))
        query = scorer.stored(make_features("query", 3).regions)
        assert scorer.scores(query, []).shape == (0,)
        assert scorer.matrices(query, []) == []


def test_a_network_that_knows_no_masks_is_given_none(make_features: MakeFeatures) -> None:
    torch.manual_seed(0)
    network = build_network("teacher", {"dims": 64, "padding": "replicate"}).eval()
    assert isinstance(network, Teacher)
    scorer = scorer_of(LiveFine(network))
    query = scorer.stored(make_features("query", 13).regions)
    stored = [scorer.stored(make_features(f"target {n}", n).regions) for n in (5, 9, 9, 13)]
    alone = np.concatenate([scorer.scores(query, [target]) for target in stored])
    np.testing.assert_allclose(scorer.scores(query, stored), alone, atol=2e-6)
