"""Ranked lists judged by the rules of a public benchmark, and by ours beside them.

The authors' rule makes figures comparable with papers; ours cannot be improved by losing videos:

* a positive that was not compared stays in the denominator, and a query that was not answered counts 0
  (most authors divide by what was found and leave the query out);
* a query is never a result of itself (CC_WEB_VIDEO counts it as a hit, FIVR only in a denominator);
* ties break by id, one by one (SVD's authors count tied results together).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dns_core.datasets.benchmark import Benchmark, Judged
from dns_core.evaluation.trapezoid import trapezoidal_average_precision
from dns_core.records import BoolArray, Float32Array, Int64Array, ScoringRule


@dataclass(frozen=True, slots=True)
class Compared:
    """What a system answered.

    Attributes:
        scores: ``[Q, V]`` similarities, rows and columns in the order of the benchmark's sorted ids.
        queries: ``[Q]`` True where a query was answered.
        videos: ``[V]`` True where a video was compared; scores of the others mean nothing.
    """

    scores: Float32Array
    queries: BoolArray
    videos: BoolArray


@dataclass(frozen=True, slots=True)
class Figure:
    """The figure of one task under one rule.

    Attributes:
        value: mean average precision in [0, 1]; None where the authors' rule divides by nothing.
        n_queries: queries that it is a mean of.
        by_group: the mean of each group of queries; empty where the benchmark has none.
    """

    value: float | None
    n_queries: int
    by_group: dict[str, float]

    @property
    def group_mean(self) -> float | None:
        """The mean over groups, each weighing the same."""
        return sum(self.by_group.values()) / len(self.by_group) if self.by_group else None


class BenchmarkScorer:
    """Judges scores on one benchmark.

    Args:
        benchmark: what is right, and its rules.
    """

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self.queries = tuple(sorted(benchmark.truth.queries))
        self.database = tuple(sorted(benchmark.truth.database))

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {video: column for column, video in enumerate(self.database)}

    def figures(self, compared: Compared, rule: ScoringRule) -> dict[str, Figure]:
        """The figure of each task, in the benchmark's order.

        Raises:
            ValueError: a score of a compared pair is NaN.
        """
        if np.isnan(compared.scores[compared.queries][:, compared.videos]).any():
            raise ValueError("a score is NaN: absence is to be left out, not ranked")
        found: dict[str, dict[str, float | None]] = defaultdict(dict)
        for row, query in enumerate(self.queries):
            if compared.queries[row]:
                for task, value in self._of_query(query, compared.scores[row], compared.videos, rule).items():
                    found[task][query] = value
            elif rule == "corrected":
                for task in self.benchmark.truth.tasks:
                    if len(self._positives(task, query, rule)):
                        found[task][query] = 0.0
        return {task: self._figure(found[task]) for task in self.benchmark.truth.tasks}

    def _figure(self, values: dict[str, float | None]) -> Figure:
        known = {query: value for query, value in values.items() if value is not None}
        groups: dict[str, list[float]] = defaultdict(list)
        for query, value in known.items():
            if query in self.benchmark.groups:
                groups[self.benchmark.groups[query]].append(value)
        by_group = {group: sum(each) / len(each) for group, each in sorted(groups.items())}
        if not known or len(known) < len(values):
            return Figure(None, len(values), by_group)
        return Figure(sum(known.values()) / len(known), len(known), by_group)

    def _of_query(
        self, query: str, scores: Float32Array, videos: BoolArray, rule: ScoringRule
    ) -> dict[str, float | None]:
        """Average precision of every task that has something to find; one sort serves all tasks."""
        order = np.argsort(-scores, kind="stable")
        order = order[videos[order]]
        found: dict[str, float | None] = {}
        for task in self.benchmark.truth.tasks:
            positives = self._positives(task, query, rule)
            if rule == "reference" and self.benchmark.found_only:
                positives = positives[videos[positives]]
            elif not len(positives):
                continue
            right = np.zeros(len(self.database), dtype=np.bool_)
            right[positives] = True
            ranked = order[self._judged(task, query, rule)[order]]
            found[task] = self._average(scores[ranked], right[ranked], len(positives), rule)
        return found

    def _average(
        self, scores: Float32Array, right: BoolArray, n_positives: int, rule: ScoringRule
    ) -> float | None:
        measure = self.benchmark.measure
        if not n_positives:
            # Authors who look at each positive divide by nothing here; the others call it 0.
            return None if measure == "ranks" else 0.0
        positions = np.flatnonzero(right)
        if measure == "trapezoid":
            return trapezoidal_average_precision(positions, n_positives)
        if measure == "thresholds" and rule == "reference":
            return _average_over_thresholds(scores, right, n_positives)
        return float((np.arange(1, len(positions) + 1) / (positions + 1)).sum() / n_positives)

    def _positives(self, task: str, query: str, rule: ScoringRule) -> Int64Array:
        """Columns of what is right; videos that the task takes out are not."""
        wanted = set(self.benchmark.truth.tasks[task])
        clean = self.benchmark.judged.get(task, Judged()).clean
        left_out = self.benchmark.excluded.get(query, frozenset()) if clean else frozenset()
        own = {query} if rule == "corrected" else set()
        labels = self.benchmark.truth.labels.get(query, {})
        return self._rows(v for v, x in labels.items() if x in wanted and v not in left_out and v not in own)

    def _judged(self, task: str, query: str, rule: ScoringRule) -> BoolArray:
        """``[V]`` True for the videos that stay in the list."""
        judged = self.benchmark.judged.get(task, Judged())
        mask = np.full(len(self.database), not judged.labelled_only)
        if judged.labelled_only:
            mask[self._rows(self.benchmark.truth.labels.get(query, {}))] = True
            mask[self._distractors] = True
        if judged.clean:
            mask[self._rows(self.benchmark.excluded.get(query, ()))] = False
        if query in self._columns and not (rule == "reference" and self.benchmark.own_entry):
            mask[self._columns[query]] = False
        return mask

    @cached_property
    def _distractors(self) -> Int64Array:
        return self._rows(self.benchmark.distractors)

    def _rows(self, videos: Iterable[str]) -> Int64Array:
        return np.array([self._columns[video] for video in videos], dtype=np.int64)


def _average_over_thresholds(scores: Float32Array, right: BoolArray, n_positives: int) -> float:
    """Precision at each distinct score times the recall gained there; ``scores`` fall."""
    last = np.flatnonzero(np.append(scores[1:] != scores[:-1], True))
    hits = np.cumsum(right)[last]
    gained = np.diff(hits, prepend=0)
    return float((gained * hits / (last + 1)).sum() / n_positives)
