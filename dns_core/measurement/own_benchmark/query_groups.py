"""The figures of one benchmark: of rankings and of segments, by what was done to the queries."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from dns_core.evaluation.protocol import TaskReport, evaluate_rankings
from dns_core.evaluation.thresholds import thresholds
from dns_core.measurement.trials import Rankings
from dns_core.records import GroundTruth

_TASK = "DSVR"
_FALSE_POSITIVE_RATE = 0.01
_SCORES = (0.1, 0.2, 0.5, 0.8)


class QueryGroups:
    """The figures of rankings, grouped by what was done to the queries."""

    def __init__(self, truth: GroundTruth, queries: Mapping[str, Mapping[str, Any]]) -> None:
        self.truth = truth
        self._queries = queries

    def report(self, rankings: Rankings) -> TaskReport:
        """All measures of rankings of the whole database."""
        return evaluate_rankings(rankings, self.truth, compared=self.truth.database).tasks[_TASK]

    def row(self, method: str, rankings: Rankings) -> dict[str, Any]:
        """The figures of a method, by edit and strength too."""
        report = self.report(rankings)
        by_edit = self._means(report.per_query, "edit")
        return {
            "method": method,
            "map": report.mean_average_precision,
            "micro_ap": report.micro_average_precision,
            "recall_at_1": report.recall_at_1,
            "mean_over_edits": float(np.mean(list(by_edit.values()))),
            "by_edit": by_edit,
            "by_strength": self._means(report.per_query, "strength"),
        }

    def thresholds(self, rankings: Rankings) -> list[dict[str, float]]:
        """What answers from a score on are worth, at 1 % of false positives and at given scores."""
        found = thresholds(
            rankings, self.truth, _TASK, false_positive_rate=_FALSE_POSITIVE_RATE, scores=_SCORES
        )
        return [threshold._asdict() for threshold in found]

    def kinds(self) -> dict[str, GroundTruth]:
        """The ground truth of all queries, and of excerpts at each strength."""
        kinds = {"all": self.truth}
        for strength in dict.fromkeys(query["strength"] for query in self._queries.values()):
            names = [
                name
                for name, query in self._queries.items()
                if query["strength"] == strength and {"trim", "insert"} & set(query["edits"])
            ]
            kinds[f"excerpts, {strength}"] = self.truth.only(names)
        return kinds

    def of_edit(self, edit: str) -> list[str]:
        """The queries that an edit was done to."""
        return [name for name, query in self._queries.items() if query["edit"] == edit]

    def _means(self, per_query: Mapping[str, float], key: str) -> dict[str, float]:
        groups: dict[str, list[float]] = defaultdict(list)
        for query, value in per_query.items():
            groups[self._queries[query][key]].append(value)
        return {name: float(np.mean(values)) for name, values in groups.items()}
