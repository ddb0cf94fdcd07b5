"""A pair's fine score is the slow twin's, alone and among any others."""

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dns_core.models.live import LiveFine
from dns_core.models.pair_network import PairNetwork
from dns_core.models.registry import build_network
from dns_core.retrieval.scorer import FineScorer, PackedScorer, scorer_of
from dns_core.similarity import vectors
from dns_core.similarity.compiled import processor_has
from dns_core.similarity.hamming import unpack_signs
from tests.oracles.slow_twins import comparator_output, pair_score

DIMS = 64
EXACT, ROUNDED = 2e-5, 2e-3
# Region vectors are stored in half precision, which both sides read.
lengths = st.lists(st.integers(1, 37), min_size=1, max_size=6)


def fine_scorer(name: str) -> FineScorer:
    torch.manual_seed(3)
    network = build_network(name, {"dims": DIMS}).eval()
    assert isinstance(network, PairNetwork)
    return scorer_of(LiveFine(network))


def network_of(scorer: FineScorer) -> PairNetwork:
    assert isinstance(scorer.network, LiveFine)
    return scorer.network.network


def twin_score(scorer: FineScorer, query: np.ndarray, target: np.ndarray) -> float:
    if isinstance(scorer, PackedScorer):
        signs = [torch.from_numpy(unpack_signs(codes).astype(np.float32)) for codes in (query, target)]
        return pair_score(network_of(scorer), signs[0], signs[1], 1 / DIMS)
    return pair_score(network_of(scorer), torch.from_numpy(query).float(), torch.from_numpy(target).float())


@pytest.mark.parametrize("halves", [False, True])
@pytest.mark.parametrize("name", ["fine_binary", "fine_attention", "teacher"])
@settings(max_examples=12)
@given(n_query=st.integers(1, 20), n_targets=lengths)
def test_a_pair_scores_alone_and_in_any_batch_as_its_slow_twin(
    name: str, halves: bool, n_query: int, n_targets: list[int]
) -> None:
    """Within 2e-5 in single precision; vectors may be rounded to bfloat16 where the processor has it."""
    with mock.patch.object(vectors, "processor_has", lambda name: halves and processor_has(name)):
        check_scores(fine_scorer(name), n_query, n_targets, ROUNDED if halves else EXACT)


def check_scores(scorer: FineScorer, n_query: int, n_targets: list[int], tolerance: float) -> None:
    rng = np.random.default_rng([n_query, *n_targets])
    videos = [rng.normal(size=(n, 9, DIMS)).astype(np.float32) for n in (n_query, *n_targets)]
    videos = [video / np.linalg.norm(video, axis=-1, keepdims=True) for video in videos]
    query, *targets = [scorer.stored(video) for video in videos]
    together = scorer.scores(query, targets)
    alone = [float(scorer.scores(query, [target])[0]) for target in targets]
    np.testing.assert_allclose(together, alone, atol=EXACT)
    twins = [twin_score(scorer, query, target) for target in targets]
    np.testing.assert_allclose(together, twins, atol=tolerance)


@pytest.mark.parametrize("shape", [(1, 1), (4, 8), (5, 9), (33, 18)])
def test_the_comparator_is_its_slow_twin(shape: tuple[int, int]) -> None:
    network = network_of(fine_scorer("fine_attention"))
    matrix = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        found, _ = network.comparator(matrix)
    expected = torch.stack([comparator_output(network.comparator, one) for one in matrix])
    torch.testing.assert_close(found, expected, atol=EXACT, rtol=0)
