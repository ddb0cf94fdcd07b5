"""``dns evaluate``: measure an index against a ground truth."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dns_apps.cli.errors import complain
from dns_apps.cli.options import DEFAULT_BUDGET, BudgetText, IndexOption, Json, Models, models_folder
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_core.errors import VideoError
from dns_core.records import QueryResult

if TYPE_CHECKING:
    from dns_core.evaluation import Report, SegmentOverlap

# A calibrated score from which two videos more likely match than not: below it, where is no question.
_MATCH = 0.5


def evaluate(
    *,
    index: IndexOption,
    ground_truth: Annotated[Path, typer.Option(metavar="FILE", help="What is right, as JSON.")],
    queries: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the query videos.")],
    budget: BudgetText = DEFAULT_BUDGET,
    models: Models = None,
    json: Json = False,
) -> None:
    """Rank the whole index for every query of a ground truth, and say how good the rankings are."""
    from dns_core.datasets import read_ground_truth
    from dns_core.evaluation import evaluate_rankings, evaluate_segments
    from dns_core.index import open_index
    from dns_core.retrieval.budget import Budget

    wanted = Budget.parse(budget)
    truth = read_ground_truth(ground_truth)
    opened = open_index(index)
    from dns_core.retrieval.bundle import Bundle
    from dns_core.retrieval.engine import Engine
    from dns_core.retrieval.pipeline import open_features, query_video

    bundle = Bundle.load(models_folder(models, opened))
    engine, pipeline = Engine(opened, bundle), open_features(bundle)
    # Only a ranking of a stated length is localised, and segments are wanted if they can be judged.
    length = opened.n_videos if truth.segments else 0
    answers: dict[str, QueryResult] = {}
    for query in command_progress().track(truth.queries, "queries"):
        try:
            answers[query] = query_video(engine, pipeline, queries / query, top_k=length, budget=wanted)
        except VideoError as error:
            complain(f"{queries / query}: {error}")
    rankings = {query: [(m.video_id, m.score) for m in a.results] for query, a in answers.items()}
    report = evaluate_rankings(rankings, truth, compared=opened.ids)
    segments = evaluate_segments(_matched(answers), truth) if truth.segments else None
    _print_report(report, segments, _mean_ms(answers), json=json)


def _matched(answers: dict[str, QueryResult]) -> dict[str, Any]:
    return {
        query: {m.video_id: m.segments for m in answer.results if m.segments and m.score >= _MATCH}
        for query, answer in answers.items()
    }


def _mean_ms(answers: dict[str, QueryResult]) -> float:
    return sum(answer.timing_ms["total"] for answer in answers.values()) / max(1, len(answers))


def _print_report(report: "Report", segments: "SegmentOverlap | None", mean_ms: float, *, json: bool) -> None:
    located = {name: getattr(segments, name) for name in ("precision", "recall", "f1")} if segments else None
    if json:
        print_json({**asdict(report), "segments": located, "ms_per_query": mean_ms})
        return
    rows = [
        (
            name,
            f"{task.mean_average_precision:.4f}",
            f"{task.micro_average_precision:.4f}",
            f"{task.recall_at_1:.4f}",
            f"{task.recall_at_10:.4f}",
            f"{task.n_queries}",
        )
        for name, task in report.tasks.items()
    ]
    print_table("", ["task", ">mAP", ">uAP", ">recall@1", ">recall@10", ">queries"], rows)
    if located:
        print_line("segments: " + ", ".join(f"{name} {value:.4f}" for name, value in located.items()))
    print_line(
        f"coverage {report.coverage:.1%}: {len(report.missing_queries)} of {report.n_queries} queries and "
        f"{len(report.missing_videos)} of {report.n_videos} videos missing; {mean_ms:.0f} ms a query"
    )
