"""``dns query``: search an index with video files."""

from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.errors import FAILED, complain
from dns_apps.cli.options import (
    DEFAULT_BUDGET,
    BudgetText,
    IndexOption,
    Json,
    Models,
    models_folder,
    result_json,
    segment_texts,
)
from dns_apps.cli.output import print_json, print_line, print_table
from dns_core.errors import VideoError
from dns_core.records import QueryResult


def query(
    videos: Annotated[list[Path], typer.Argument(metavar="VIDEO...", help="Video files to look for.")],
    *,
    index: IndexOption,
    top: Annotated[int, typer.Option(min=0, help="How many answers; 0 ranks the whole index.")] = 10,
    budget: BudgetText = DEFAULT_BUDGET,
    models: Models = None,
    json: Json = False,
) -> None:
    """Find the videos of an index that show what a clip shows, and where."""
    from dns_core.index import open_index
    from dns_core.retrieval.budget import Budget

    wanted = Budget.parse(budget)
    opened = open_index(index)
    from dns_core.retrieval.bundle import Bundle
    from dns_core.retrieval.engine import Engine
    from dns_core.retrieval.pipeline import open_features, query_video

    bundle = Bundle.load(models_folder(models, opened))
    engine, pipeline = Engine(opened, bundle), open_features(bundle)
    n_failed = 0
    for video in videos:
        try:
            result = query_video(engine, pipeline, video, top_k=top, budget=wanted)
        except VideoError as error:
            n_failed += 1
            _refuse(video, error, json=json)
        else:
            _print_result(result, json=json)
    if n_failed:
        raise typer.Exit(FAILED)


def _refuse(video: Path, error: VideoError, *, json: bool) -> None:
    complain(f"{video}: {error}")
    if json:
        print_json({"query": str(video), "error": {"reason": error.reason, "detail": error.detail}})


def _print_result(result: QueryResult, *, json: bool) -> None:
    if json:
        print_json(result_json(result))
        return
    rows = [
        (
            str(rank),
            f"{match.score:.3f}",
            match.stage,
            match.video_id,
            ", ".join(segment_texts(match.segments)),
        )
        for rank, match in enumerate(result.results, start=1)
    ]
    print_table(result.query, [">", ">score", "by", "video", "query = video"], rows)
    parts = ", ".join(f"{step} {ms:.0f} ms" for step, ms in result.timing_ms.items())
    print_line(f"compared with {result.coverage:.1%} of the corpus; {parts}\n")
