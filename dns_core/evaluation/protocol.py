"""The whole judgement of a set of ranked lists, by task."""

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from dns_core.errors import GroundTruthError
from dns_core.evaluation.coverage import coverage
from dns_core.evaluation.mean_average_precision import mean_average_precision
from dns_core.evaluation.micro_average_precision import micro_average_precision
from dns_core.evaluation.ranking import Ranking, judged_rows
from dns_core.evaluation.recall import recall_at_k
from dns_core.records import GroundTruth


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Figures of one task; every one is in [0, 1] and counts what was not found.

    Attributes:
        mean_average_precision: mean over the queries that have a positive.
        micro_average_precision: over the pairs of all queries in one list.
        recall_at_1: mean over the same queries; the share whose first result is right.
        recall_at_10: mean over the same queries.
        n_queries: queries that have a positive, answered or not: the denominator.
        n_excluded: queries without a positive in this task.
        per_query: average precision of each of the ``n_queries``.
    """

    mean_average_precision: float
    micro_average_precision: float
    recall_at_1: float
    recall_at_10: float
    n_queries: int
    n_excluded: int
    per_query: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """Figures by task, and how much of the ground truth they rest on.

    Attributes:
        tasks: one `TaskReport` by name of task.
        coverage: share in [0, 1] of the (query, video) pairs of the ground truth that were compared.
        n_queries: queries of the ground truth.
        n_videos: videos of its database.
        missing_queries: queries that were not answered, sorted; each counts 0.
        missing_videos: videos of the database that could not be found, sorted; positives among them
            count as not found.
    """

    tasks: Mapping[str, TaskReport]
    coverage: float
    n_queries: int
    n_videos: int
    missing_queries: tuple[str, ...]
    missing_videos: tuple[str, ...]


def evaluate_rankings(
    rankings: Mapping[str, Ranking], truth: GroundTruth, *, compared: Collection[str] | None = None
) -> Report:
    """Figures of every task of ``truth``; denominators come from ``truth`` alone.

    Rows that the ground truth does not judge are dropped (`judged_rows`).

    Args:
        rankings: rows of each query that was answered, whole or cut off at some length.
        truth: what is right.
        compared: ids of the videos that were searched; without it, those that appear in a ranking,
            which is right only if rankings are whole.

    Raises:
        GroundTruthError: a task has no query with a positive.
        ValueError: a ranking is of an unknown query, holds NaN, or holds a video twice.
    """
    judged = judged_rows(rankings, truth)
    searched = compared if compared is not None else {v for rows in judged.values() for v, _ in rows}
    return Report(
        tasks={task: _task_report(judged, truth.positives(task), task) for task in sorted(truth.tasks)},
        coverage=coverage(truth.queries, rankings) * coverage(truth.database, searched),
        n_queries=len(truth.queries),
        n_videos=len(truth.database),
        missing_queries=tuple(sorted(set(truth.queries) - rankings.keys())),
        missing_videos=tuple(sorted(set(truth.database) - set(searched))),
    )


def _task_report(
    rankings: Mapping[str, Ranking], positives: Mapping[str, AbstractSet[str]], task: str
) -> TaskReport:
    with_positives = {query: right - {query} for query, right in positives.items() if right - {query}}
    if not with_positives:
        raise GroundTruthError(f"task {task}: expected a query with a positive, found none")
    answered = {query: rows for query, rows in rankings.items() if query in with_positives}
    mean = mean_average_precision(answered, with_positives)
    return TaskReport(
        mean_average_precision=mean.value,
        micro_average_precision=micro_average_precision(rankings, with_positives),
        recall_at_1=_mean_recall(answered, with_positives, 1),
        recall_at_10=_mean_recall(answered, with_positives, 10),
        n_queries=len(with_positives),
        n_excluded=len(positives) - len(with_positives),
        per_query=mean.per_query,
    )


def _mean_recall(rankings: Mapping[str, Ranking], positives: Mapping[str, AbstractSet[str]], k: int) -> float:
    recalls = [recall_at_k(rankings.get(query, ()), right, k) for query, right in positives.items()]
    return sum(recalls) / len(recalls)
