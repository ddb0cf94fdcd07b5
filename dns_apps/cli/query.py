"""``dns query``: search an index with video files."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dns_apps.cli.errors import FAILED, NOT_FOUND, complain
from dns_apps.cli.options import BudgetText, IndexedFolder, IndexOption, Json, MinScore, Models
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.tables import check_form, write_table
from dns_apps.text import clock, segment_texts, size
from dns_core.errors import VideoError
from dns_core.retrieval.budget import DEFAULT_BUDGET, Budget

if TYPE_CHECKING:
    from dns_core.records import QueryResult


def query(
    videos: Annotated[
        list[Path], typer.Argument(metavar="VIDEO...", help="Files to look for, or folders of them.")
    ],
    *,
    index: IndexOption,
    top: Annotated[int, typer.Option(min=0, help="How many answers; 0 ranks the whole index.")] = 10,
    min_score: MinScore = 0.0,
    budget: BudgetText = DEFAULT_BUDGET,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.csv|jsonl|parquet", help="Write one table of all answers.")
    ] = None,
    indexed: IndexedFolder = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """Find the videos of an index that show what a clip shows, and where."""
    from dns_apps.cli.answers import COLUMNS, Answers, table_rows
    from dns_core.search import Searcher

    wanted = Budget.parse(budget)
    if out is not None:
        check_form(out)
    searcher = Searcher.open(index, models, videos=indexed)
    answers = Answers(searcher.engine().index, searcher.pipeline.decoder)
    kept, n_failed = list[dict[str, Any]](), 0
    for video, is_asked in _files(videos):
        try:
            result = _from(searcher.query(video, top_k=top, budget=wanted), min_score)
        except VideoError as error:
            n_failed += _refuse(video, error, is_asked=is_asked, json=json)
        else:
            answer = answers.json(result, video)
            kept += table_rows(answer)
            print_json(answer) if json else _print_answer(answer)
    if out is not None:
        write_table(out, COLUMNS, kept)
    if n_failed or (min_score and not kept):
        raise typer.Exit(FAILED if n_failed else NOT_FOUND)


def _from(result: "QueryResult", min_score: float) -> "QueryResult":
    """The answer without matches under a score."""
    return replace(result, results=tuple(match for match in result.results if match.score >= min_score))


def _files(paths: list[Path]) -> Iterator[tuple[Path, bool]]:
    """Each file, and whether it was named itself and not found in a folder."""
    from dns_core.video.discover import discover_videos

    for path in paths:
        if not path.is_dir():
            yield path, True
        for _, file in discover_videos(path) if path.is_dir() else ():
            yield file, False


def _refuse(video: Path, error: VideoError, *, is_asked: bool, json: bool) -> bool:
    """Say why a file was not searched with; whether that is a failure: a text in a folder is none."""
    from dns_core.records import Quarantined

    if not is_asked and not Quarantined(video.name, error.reason, error.detail).is_video:
        return False
    complain(f"{video}: {error}")
    if json:
        print_json({"query": str(video), "error": {"reason": error.reason, "detail": error.detail}})
    return True


def _print_answer(answer: Mapping[str, Any]) -> None:
    from dns_core.records import Segment

    rows = [
        (
            str(rank),
            f"{match['score']:.3f}",
            match["stage"],
            match["relation"] or "",
            match["video_id"],
            _file_text(match["file"]),
            ", ".join(segment_texts([Segment(**segment) for segment in match["segments"]])),
        )
        for rank, match in enumerate(answer["results"], start=1)
    ]
    title = f"{answer['query']} ({_file_text(answer['file'])})"
    print_table(title, [">", ">score", "by", "is", "video", "file", "query = video"], rows)
    parts = ", ".join(f"{step} {ms:.0f} ms" for step, ms in answer["timing_ms"].items())
    print_line(f"compared with {answer['coverage']:.1%} of the corpus; {parts}\n")


def _file_text(facts: Mapping[str, Any] | None) -> str:
    if facts is None:
        return ""
    frame = f"{facts['width_px']}x{facts['height_px']}"
    return f"{clock(facts['duration_s'])} {frame} {facts['codec']} {size(facts['n_bytes'])}"
