"""Stage ``evaluate``.

Reads: the bundle, the index, whitened database and queries, data/test/ground_truth.json.
Writes: artifacts/report.json (every figure), artifacts/metrics.json (the few to compare),
    artifacts/trade_off.json (the curve).
Params: evaluate.
Repeats exactly: yes, but for the seconds.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from pydantic import Field

from dns_core.datasets.ground_truth import read_ground_truth
from dns_core.evaluation.gates import GateLimits
from dns_core.evaluation.protocol import Report, evaluate_rankings
from dns_core.evaluation.reliability import reliability
from dns_core.evaluation.report import EvaluationReport, MethodRow, PolicyCurve, ReliabilityRow
from dns_core.evaluation.segments import evaluate_segments
from dns_core.evaluation.tradeoff import TradeoffPoint, area_under_tradeoff
from dns_core.index.reader import Index, open_index
from dns_core.measurement.search_costs import measure_costs
from dns_core.measurement.timing import Timing, time_in_turns
from dns_core.measurement.trials import (
    TIMED_REPEATS,
    Rankings,
    Trial,
    ask_all,
    bytes_on_disk,
    engine_trial,
    found_segments,
    policy_rankings,
    teacher_trial,
    timed_queries,
)
from dns_core.records import GroundTruth
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import FINE_NETWORKS
from dns_core.store.atomic import write_json
from dns_core.store.feature_store import FeatureStore
from dns_core.workspace import StageConfig, StageContext, Workspace


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        budgets: shares of the candidates that are re-ranked, for the table.
        policy_budgets: shares at which the selector is compared with simple policies.
        segment_budget: share at which matched segments are judged.
        segment_top_k: answers to each query whose segments are judged,
        segment_score: if they score at least this: below it, an answer is no match that has segments.
        gates: what a bundle must keep to when it is promoted.
        seed: of the random policy.
    """

    budgets: tuple[float, ...]
    policy_budgets: tuple[float, ...]
    segment_budget: float = Field(ge=0, le=1)
    segment_top_k: int = Field(ge=1)
    gates: GateLimits
    segment_score: float = Field(ge=0, le=1)
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Judge every way to search the test database, with measured time and real bytes."""
    workspace = context.workspace
    truth = read_ground_truth(workspace.ground_truth)
    with ExitStack() as stack:
        database, queries = (
            stack.enter_context(FeatureStore.open(workspace.whitened(name)))
            for name in ("database", "queries")
        )
        evaluation = _Evaluation(context, config, truth, database, queries)
        methods = evaluation.methods()
        selection = evaluation.selection()
        segment_f1 = evaluation.segment_f1()
        costs = evaluation.costs()
    report: EvaluationReport = {
        "database": len(truth.database),
        "queries": len(truth.queries),
        "coverage": methods[0]["coverage"],
        "methods": methods,
        "selection": selection,
        "segment_f1": segment_f1,
        "costs": costs,
    }
    write_json(workspace.report, report)
    write_json(workspace.trade_off, [_plotted(row) for row in methods])
    write_json(workspace.metrics, _metrics(report))


class _Evaluation:
    """One evaluation: the same truth, models and index for every method."""

    def __init__(
        self,
        context: StageContext,
        config: Config,
        truth: GroundTruth,
        database: FeatureStore,
        queries: FeatureStore,
    ) -> None:
        self._workspace: Workspace = context.workspace
        self._progress = context.progress
        self._config = config
        self._truth = truth
        self._database = database
        self._queries = queries
        self._bundle = Bundle.load(context.workspace.models, device=context.device)
        self._index: Index = open_index(context.workspace.index)
        self._engines = {fine: Engine(self._index, self._bundle, fine=fine) for fine in FINE_NETWORKS}

    def methods(self) -> list[MethodRow]:
        """A row for the teacher, for each student alone, and for each student at each budget."""
        n_videos = max(self._index.n_videos, 1)
        whitened_bytes = self._workspace.whitened("database").stat().st_size
        trial = teacher_trial(self._bundle, self._index, self._database, self._queries)
        rows = [self._row("teacher", None, trial, whitened_bytes / n_videos)]
        timings = self._timings()
        for fine in self._progress.track(self._engines, "evaluating", len(self._engines)):
            trial = engine_trial(self._engines[fine], self._queries, 1.0).timed(timings[fine, 1.0])
            row = self._row(fine, None, trial, bytes_on_disk(self._index, fine) / n_videos)
            rows.append({**row, "reliability": self._reliability(trial)})
        trial = engine_trial(self._engines[FINE_NETWORKS[0]], self._queries, 0.0)
        trial = trial.timed(timings[FINE_NETWORKS[0], 0.0])
        row = self._row("coarse", None, trial, bytes_on_disk(self._index, None) / n_videos)
        rows.append({**row, "reliability": self._reliability(trial)})
        for fine, engine in self._engines.items():
            for budget in self._config.budgets:
                trial = engine_trial(engine, self._queries, budget).timed(timings[fine, budget])
                n_bytes = bytes_on_disk(self._index, fine) / n_videos
                rows.append(self._row(f"dns_{fine}", budget, trial, n_bytes))
        return rows

    def _timings(self) -> dict[tuple[str, float], Timing]:
        """By fine network and share that is re-ranked, of a few queries of all lengths, in turns."""
        asked = timed_queries(self._queries)
        calls = {
            (fine, budget): partial(ask_all, engine, asked, budget)
            for fine, engine in self._engines.items()
            for budget in dict.fromkeys((0.0, 1.0, *self._config.budgets))
        }
        return time_in_turns(calls, TIMED_REPEATS, len(asked))

    def costs(self) -> dict[str, Any]:
        """What queries and videos cost on this machine, taken apart, to be carried over to other archives."""
        asked = timed_queries(self._queries)
        index = self._index
        n_videos = max(index.n_videos, 1)
        parts = index.manifest.parts
        return {
            "search": {
                fine: asdict(measure_costs(engine, asked)) if index.n_videos else None
                for fine, engine in self._engines.items()
            },
            "bytes": {part: n_bytes / n_videos for part, n_bytes in parts.items()},
            "frames": sum(entry.n_frames for entry in index.manifest.shards) / n_videos,
            "chunks": sum(entry.n_chunks for entry in index.manifest.shards) / n_videos,
            "query_frames": float(np.median([len(query.times_s) for query in asked])),
        }

    def selection(self) -> dict[str, dict[str, PolicyCurve]]:
        """By fine network and policy: mean average precision at each budget, and the area under it."""
        result: dict[str, dict[str, PolicyCurve]] = {}
        budgets = self._config.policy_budgets
        for fine, engine in self._engines.items():
            curves: dict[str, list[float]] = {}
            for name, _, rankings in policy_rankings(engine, self._queries, budgets, self._config.seed):
                curves.setdefault(name, []).append(_headline(self._report(rankings)))
            result[fine] = {
                name: {"budgets": list(budgets), "map": curve, "area": _area(budgets, curve)}
                for name, curve in curves.items()
            }
        return result

    def segment_f1(self) -> dict[str, float]:
        """By fine network: how well matched segments agree with the true ones."""
        return {
            fine: evaluate_segments(
                found_segments(
                    engine,
                    self._queries,
                    self._config.segment_budget,
                    top_k=self._config.segment_top_k,
                    at_least=self._config.segment_score,
                ),
                self._truth,
            ).f1
            for fine, engine in self._engines.items()
        }

    def _reliability(self, trial: Trial) -> list[ReliabilityRow]:
        """Probabilities of an engine's answers beside the shares of them that match."""
        bins = reliability(trial.rankings, self._truth, _headline_task(sorted(self._truth.tasks)))
        return [
            {"predicted": one.predicted, "observed": one.observed, "n_pairs": one.n_pairs} for one in bins
        ]

    def _report(self, rankings: Rankings) -> Report:
        return evaluate_rankings(rankings, self._truth, compared=self._database.ids)

    def _row(self, method: str, budget: float | None, trial: Trial, bytes_per_video: float) -> MethodRow:
        report = self._report(trial.rankings)
        return {
            "method": method,
            "budget": budget,
            "map": {name: task.mean_average_precision for name, task in report.tasks.items()},
            "micro_ap": {name: task.micro_average_precision for name, task in report.tasks.items()},
            "recall_at_1": {name: task.recall_at_1 for name, task in report.tasks.items()},
            "seconds_per_query": trial.seconds_per_query,
            "seconds_range": list(trial.range_s),
            "bytes_per_video": bytes_per_video,
            "coverage": report.coverage,
        }


def _headline(report: Report) -> float:
    """The strictest task is the first in the order of names: DSVR in FIVR's terms."""
    return report.tasks[_headline_task(sorted(report.tasks))].mean_average_precision


def _headline_task(tasks: Sequence[str]) -> str:
    return "DSVR" if "DSVR" in tasks else tasks[0]


def _area(budgets: Sequence[float], curve: Sequence[float]) -> float:
    points = [TradeoffPoint(budget, value, 0.0, 0.0) for budget, value in zip(budgets, curve, strict=True)]
    return area_under_tradeoff(points)


def _plotted(row: MethodRow) -> dict[str, Any]:
    return {
        "method": row["method"],
        "budget": row["budget"],
        "map": row["map"][_headline_task(sorted(row["map"]))],
        "seconds_per_query": row["seconds_per_query"],
        "bytes_per_video": row["bytes_per_video"],
    }


def _metrics(report: EvaluationReport) -> dict[str, Any]:
    alone = {row["method"]: row["map"] for row in report["methods"] if row["budget"] is None}
    areas = {
        fine: {policy: curve["area"] for policy, curve in curves.items()}
        for fine, curves in report["selection"].items()
    }
    return {
        "coverage": report["coverage"],
        "map": alone,
        "selection_area": areas,
        "segment_f1": report["segment_f1"],
    }
