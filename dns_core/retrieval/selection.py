"""Which candidates are re-ranked: the selector, and the policies it must beat.

Every policy gives each candidate a priority; the highest are re-ranked, as many as the budget buys.
The simple policies exist to be compared with the selector at equal budgets (the paper, section 5.6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from dns_core.records import Float32Array, Float64Array, Int64Array
from dns_core.retrieval.networks import SelectorNetwork
from dns_core.retrieval.ranking import falling_order


@dataclass(frozen=True, slots=True)
class Candidates:
    """The videos of an index, or a shortlist of them, as the coarse stage sees them for one query.

    Attributes:
        rows: ``[V]`` of the index, increasing.
        ids: ``[V]`` their ids.
        scores: ``[V]`` coarse scores, cosines aggregated over chunks.
        features: ``[V, 3]`` what the selector reads of each pair: the number of the query's chunk, the
            number of the target's chunk, and the cosine of the two, for the pair of chunks that is
            closest.
        background: ``[N]`` coarse scores of the query with the background.
    """

    rows: Int64Array
    ids: Sequence[str]
    scores: Float32Array
    features: Float32Array
    background: Float32Array


class Policy(Protocol):
    """Decides what is worth re-ranking."""

    def priorities(self, candidates: Candidates) -> Float64Array:
        """``[V]``: higher is re-ranked sooner."""
        ...


@dataclass(frozen=True, slots=True)
class BySelector:
    """Priority: how sure the selector is that the fine score is far from the coarse one."""

    network: SelectorNetwork

    def priorities(self, candidates: Candidates) -> Float64Array:
        """Log-odds ``[V]`` of all candidates in one pass; their order is that of the confidences."""
        return self.network.logits(candidates.features).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ByCoarseScore:
    """Priority: the coarse score, which is the usual re-ranking of a shortlist."""

    def priorities(self, candidates: Candidates) -> Float64Array:
        """Coarse scores ``[V]``."""
        return candidates.scores.astype(np.float64)


@dataclass(frozen=True, slots=True)
class ByDoubt:
    """Priority: how near the coarse score is to ``threshold``, where the coarse stage decides worst."""

    threshold: float

    def priorities(self, candidates: Candidates) -> Float64Array:
        """Minus the distance ``[V]`` of coarse score and threshold."""
        return -np.abs(candidates.scores.astype(np.float64) - self.threshold)


@dataclass(frozen=True, slots=True)
class ByChance:
    """Priority: a seeded draw for each id, so that the storage order of videos does not matter."""

    seed: int

    def priorities(self, candidates: Candidates) -> Float64Array:
        """Uniform numbers ``[V]``, the same for the same set of ids."""
        by_id = sorted(range(len(candidates.ids)), key=candidates.ids.__getitem__)
        drawn = np.empty(len(by_id))
        drawn[by_id] = np.random.default_rng(self.seed).random(len(by_id))
        return drawn


def select(policy: Policy, candidates: Candidates, count: int) -> Int64Array:
    """Positions of the ``count`` candidates of highest priority, highest first; ties by id."""
    if count <= 0:
        return np.empty(0, dtype=np.int64)
    return falling_order(policy.priorities(candidates), candidates.ids)[:count]
