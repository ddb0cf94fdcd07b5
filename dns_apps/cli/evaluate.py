"""``dns evaluate``: measure an index against a ground truth, or networks on a public benchmark."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dns_apps.cli.errors import complain
from dns_apps.cli.options import Json, Models
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_core.errors import ParamsError, VideoError
from dns_core.retrieval.budget import DEFAULT_BUDGET, Budget

if TYPE_CHECKING:
    from dns_core.evaluation import Report, SegmentOverlap
    from dns_core.records import QueryResult

# A calibrated score from which two videos more likely match than not: below it, where is no question.
_MATCH = 0.5


def evaluate(
    *,
    index: Annotated[Path | None, typer.Option(metavar="INDEX", help="Folder of the index.")] = None,
    ground_truth: Annotated[Path | None, typer.Option(metavar="FILE", help="What is right, as JSON.")] = None,
    queries: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of the query videos.")] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="NAME", help="A public benchmark of `dns datasets list` instead.")
    ] = None,
    annotations: Annotated[Path | None, typer.Option(metavar="FILE", help="Its annotation file.")] = None,
    features: Annotated[Path | None, typer.Option(metavar="FILE.hdf5", help="Its features.")] = None,
    distractors: Annotated[Path | None, typer.Option(metavar="FILE", help="SVD's unlabelled videos.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for scores and report.")] = None,
    budget: Annotated[
        str, typer.Option(metavar="0.3|50ms|all", help="Share or time; `all`: a benchmark's 21 shares.")
    ] = DEFAULT_BUDGET,
    models: Models = None,
    json: Json = False,
) -> None:
    """Rank everything for every query, and say how good the rankings are: of an index, or of a benchmark."""
    if dataset is not None:
        from dns_apps.cli.replicate import replicate_dataset
        from dns_core.search import models_folder

        _no_more("--dataset", {"--index": index, "--ground-truth": ground_truth, "--queries": queries})
        files = _needed("--dataset", {"--annotations": annotations, "--features": features})
        replicate_dataset(
            dataset,
            files[0],
            files[1],
            models_folder(models),
            distractors=distractors,
            budget=budget,
            out=out,
            json=json,
        )
        return
    files_of_datasets = {"--annotations": annotations, "--features": features, "--distractors": distractors}
    _no_more("an index", {**files_of_datasets, "--out": out})
    wanted = {"--index": index, "--ground-truth": ground_truth, "--queries": queries}
    _evaluate_index(*_needed("dns evaluate", wanted), budget=budget, models=models, json=json)


def _needed(what: str, options: dict[str, Path | None]) -> list[Path]:
    absent = [name for name, value in options.items() if value is None]
    if absent:
        raise ParamsError(f"{what}: expected {', '.join(options)}, found no {', '.join(absent)}")
    return [value for value in options.values() if value is not None]


def _no_more(what: str, options: dict[str, Path | None]) -> None:
    more = [name for name, value in options.items() if value is not None]
    if more:
        raise ParamsError(f"{what} does not go with {', '.join(more)}")


def _evaluate_index(
    index: Path, ground_truth: Path, queries: Path, *, budget: str, models: Path | None, json: bool
) -> None:
    from dns_core.datasets import read_ground_truth
    from dns_core.evaluation import evaluate_rankings, evaluate_segments
    from dns_core.search import Searcher

    wanted = Budget.parse(budget)
    truth = read_ground_truth(ground_truth)
    searcher = Searcher.open(index, models)
    engine = searcher.engine()
    # Only a ranking of a stated length is localised, and segments are wanted if they can be judged.
    length = engine.index.n_videos if truth.segments else 0
    answers: dict[str, QueryResult] = {}
    for query in command_progress().track(truth.queries, "queries"):
        try:
            answers[query] = searcher.query(queries / query, top_k=length, budget=wanted)
        except VideoError as error:
            complain(f"{queries / query}: {error}")
    rankings = {query: [(m.video_id, m.score) for m in a.results] for query, a in answers.items()}
    report = evaluate_rankings(rankings, truth, compared=engine.index.ids)
    segments = evaluate_segments(_matched(answers), truth) if truth.segments else None
    _print_report(report, segments, _mean_ms(answers), json=json)


def _matched(answers: "dict[str, QueryResult]") -> dict[str, Any]:
    return {
        query: {m.video_id: m.segments for m in answer.results if m.segments and m.score >= _MATCH}
        for query, answer in answers.items()
    }


def _mean_ms(answers: "dict[str, QueryResult]") -> float:
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
