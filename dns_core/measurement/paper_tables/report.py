"""The paper's table from the scores of a trial: students, and DnS at each budget."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from dns_core.evaluation.benchmark import BenchmarkScorer, Compared, Figure
from dns_core.measurement.paper_tables.budgets import confidences, reranked, reranked_count, selection_order
from dns_core.measurement.paper_tables.networks import Networks
from dns_core.measurement.paper_tables.score_pass import Trial
from dns_core.records import Float32Array, Int64Array


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table under one rule.

    Attributes:
        method: a student, or ``DnS`` with the fine student's role.
        share: of the videos that are re-ranked; None for a student alone.
        figures: of each task.
        seconds_per_query: measured on all pairs; DnS pays its share of the fine student's.
        bytes_per_video: what is kept of a video.
    """

    method: str
    share: float | None
    figures: Mapping[str, Figure]
    seconds_per_query: float
    bytes_per_video: float


class RuleReport:
    """Judges the scores of one rule.

    Args:
        trial: done.
        scorer: of the benchmark.
        networks: of the rule.
        number: the rule's place among the trial's.
    """

    def __init__(self, trial: Trial, scorer: BenchmarkScorer, networks: Networks, number: int) -> None:
        self._trial, self._scorer, self._networks, self._number = trial, scorer, networks, number
        self.rule = networks.compatibility

    def lines(self, shares: Sequence[float]) -> Iterator[Line]:
        """Every line of the table, students first."""
        for role in self._networks.fines:
            yield self._line(role, None, self.scores(role), self._seconds(role), self._bytes(role))
        if self._networks.coarse is None:
            return
        coarse = self.scores("coarse")
        yield self._line("coarse", None, coarse, self._seconds("coarse"), self._bytes("coarse"))
        for role in self._networks.numbered:
            start_s = perf_counter()
            order = self.orders(role)
            select_s = (perf_counter() - start_s) / len(self._trial.questions)
            size = self._bytes(role) + self._bytes("coarse") + 4
            for share in shares:
                seconds = share * self._seconds(role) + self._seconds("coarse") + select_s
                yield self._line(f"DnS {role}", share, self.reranked(role, order, share), seconds, size)

    def scores(self, name: str) -> Float32Array:
        """``[Q, V]`` of ``coarse`` or a fine role."""
        return np.ascontiguousarray(self._trial.ledger.array(f"{self.rule}_{name}").T, dtype=np.float32)

    def selector_confidences(self, role: str) -> Float32Array:
        """``[Q, V]`` confidences that a pair needs the fine student; 0 where nothing was compared."""
        videos, coarse = self._trial.compared, self.scores("coarse")
        numbers = self._trial.ledger.array(f"{self.rule}_{role}_numbers")[videos, 0].astype(np.float32)
        found = np.zeros_like(coarse)
        for question in self._trial.questions:
            own = question.encoded[self._number].numbers[role]
            found[question.place, videos] = confidences(
                self._networks.selectors[role], own, numbers, coarse[question.place, videos]
            )
        return found

    def orders(self, role: str) -> dict[int, Int64Array]:
        """Columns of compared videos by falling confidence, by row of the query."""
        columns = np.flatnonzero(self._trial.compared)
        priorities = self.selector_confidences(role)
        return {
            question.place: columns[selection_order(priorities[question.place, columns])]
            for question in self._trial.questions
        }

    def reranked(self, role: str, orders: Mapping[int, Int64Array], share: float) -> Float32Array:
        """``[Q, V]`` coarse scores with a share of fine ones."""
        scores, fine = self.scores("coarse"), self.scores(role)
        for place, order in orders.items():
            chosen = order[: reranked_count(share, len(order), self.rule)]
            scores[place] = reranked(scores[place], fine[place], chosen)
        return scores

    def _line(
        self, method: str, share: float | None, scores: Float32Array, seconds: float, size: float
    ) -> Line:
        compared = Compared(scores, self._trial.answered, self._trial.compared)
        return Line(method, share, self._scorer.figures(compared, self.rule), seconds, size)

    def _seconds(self, name: str) -> float:
        return self._total(f"{self.rule}_{name}_s") / len(self._trial.questions)

    def _bytes(self, name: str) -> float:
        return self._total(f"{self.rule}_{name}_bytes") / max(1, int(self._trial.compared.sum()))

    def _total(self, name: str) -> float:
        return self._trial.ledger.totals.get(name, 0.0)


def coverage_of(trial: Trial) -> dict[str, Any]:
    """What was compared of what should have been, and what was not, with its reason."""
    answered, compared = int(trial.answered.sum()), int(trial.compared.sum())
    n_queries, n_videos = len(trial.queries), len(trial.database)
    unusable = {**trial.ledger.unusable, **trial.unanswered}
    reasons = [row.reason for row in unusable.values()]
    return {
        "coverage": answered / n_queries * compared / n_videos,
        "queries": n_queries,
        "queries_answered": answered,
        "videos": n_videos,
        "videos_compared": compared,
        "reasons": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
        "unusable": {video: row.detail for video, row in sorted(unusable.items())},
    }
