import numpy as np
import pytest
import torch

from dns_core.models.live import LiveSelector
from dns_core.models.selector import Selector
from dns_core.retrieval.selection import (
    ByChance,
    ByCoarseScore,
    ByDoubt,
    BySelector,
    Candidates,
    Policy,
    select,
)

_NO_BACKGROUND = np.empty(0, dtype=np.float32)


@pytest.fixture
def candidates() -> Candidates:
    rng = np.random.default_rng(0)
    ids = [f"v{number:03d}" for number in rng.permutation(200)]
    scores = rng.uniform(-1, 1, 200).astype(np.float32)
    features = np.column_stack([rng.normal(size=(200, 2)), scores]).astype(np.float32)
    return Candidates(np.arange(200), ids, scores, features, _NO_BACKGROUND)


def selector() -> LiveSelector:
    torch.manual_seed(0)
    return LiveSelector(Selector(dims=64, hidden_size=8).eval())


@pytest.mark.parametrize("policy", [BySelector(selector()), ByCoarseScore(), ByDoubt(0.2), ByChance(3)])
def test_a_policy_chooses_the_same_videos_however_they_are_stored(
    policy: Policy, candidates: Candidates
) -> None:
    order = np.random.default_rng(1).permutation(200)
    moved = Candidates(
        np.arange(200),
        [candidates.ids[row] for row in order],
        candidates.scores[order],
        candidates.features[order],
        _NO_BACKGROUND,
    )
    for count in (0, 1, 50, 200, 300):
        chosen = [candidates.ids[row] for row in select(policy, candidates, count)]
        assert len(chosen) == len(set(chosen)) == min(count, 200)
        assert chosen == [moved.ids[row] for row in select(policy, moved, count)]


def test_a_larger_budget_buys_what_a_smaller_one_did(candidates: Candidates) -> None:
    for policy in (BySelector(selector()), ByCoarseScore(), ByDoubt(0.2), ByChance(3)):
        many = select(policy, candidates, 100)
        np.testing.assert_array_equal(select(policy, candidates, 30), many[:30])


def test_the_selector_ranks_by_its_confidence(candidates: Candidates) -> None:
    network = selector()
    with torch.inference_mode():
        confidence = network.network(torch.from_numpy(candidates.features)).numpy()
    chosen = select(BySelector(network), candidates, 200)
    assert (np.diff(confidence[chosen]) <= 1e-7).all()


def test_the_simple_policies_do_what_they_are_called(candidates: Candidates) -> None:
    by_score = candidates.scores[select(ByCoarseScore(), candidates, 200)]
    assert (np.diff(by_score) <= 0).all()
    by_doubt = np.abs(candidates.scores[select(ByDoubt(0.2), candidates, 200)] - 0.2)
    assert (np.diff(by_doubt) >= -1e-7).all()
    by_chance = [select(ByChance(seed), candidates, 200).tolist() for seed in (1, 1, 2)]
    assert by_chance[0] == by_chance[1] != by_chance[2]


def test_ties_are_chosen_by_id() -> None:
    same = np.zeros(4, dtype=np.float32)
    tied = Candidates(
        np.arange(4), ["d", "a", "c", "b"], same, np.zeros((4, 3), dtype=np.float32), _NO_BACKGROUND
    )
    assert select(ByCoarseScore(), tied, 2).tolist() == [1, 3]
    assert select(BySelector(selector()), tied, 2).tolist() == [1, 3]


def test_no_candidates_no_choice() -> None:
    none = Candidates(
        np.arange(0), [], np.empty(0, dtype=np.float32), np.empty((0, 3), dtype=np.float32), _NO_BACKGROUND
    )
    for policy in (BySelector(selector()), ByCoarseScore(), ByDoubt(0.2), ByChance(3)):
        assert select(policy, none, 5).tolist() == []
