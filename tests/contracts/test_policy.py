"""Every Policy gives each candidate one finite priority, and does not change what it is given."""

from copy import deepcopy
from typing import cast

import numpy as np
import pytest

from dns_core.models.live import LiveSelector
from dns_core.models.registry import build_network
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

N = 30
POLICIES: tuple[Policy, ...] = (
    BySelector(LiveSelector(cast("Selector", build_network("selector", {}).eval()))),
    ByCoarseScore(),
    ByDoubt(0.3),
    ByChance(7),
)


@pytest.fixture
def candidates() -> Candidates:
    rng = np.random.default_rng(0)
    return Candidates(
        np.arange(N),
        [f"v{number:02d}" for number in range(N)],
        rng.uniform(-1, 1, N).astype(np.float32),
        rng.uniform(-1, 1, (N, 3)).astype(np.float32),
        rng.uniform(-1, 1, 8).astype(np.float32),
    )


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: type(one).__name__)
def test_each_candidate_has_a_finite_priority(policy: Policy, candidates: Candidates) -> None:
    before = deepcopy(candidates)
    first, again = policy.priorities(candidates), policy.priorities(candidates)
    assert first.shape == (N,)
    assert first.dtype == np.float64
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)
    for name in ("rows", "scores", "features", "background"):
        np.testing.assert_array_equal(getattr(candidates, name), getattr(before, name))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda one: type(one).__name__)
def test_a_larger_budget_only_adds_candidates(policy: Policy, candidates: Candidates) -> None:
    chosen = [select(policy, candidates, count).tolist() for count in range(N + 5)]
    assert chosen[0] == []
    assert all(chosen[count] == chosen[-1][:count] for count in range(N))
    assert sorted(chosen[-1]) == list(range(N))
