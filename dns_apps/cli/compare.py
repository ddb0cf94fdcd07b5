"""``dns compare``: how alike two videos are, and where."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.options import Json, Models
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.text import segment_texts


def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A video file.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another video file.")],
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw the similarity of all frames.")
    ] = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """Compare two videos frame by frame: one score, and the stretches that match."""
    from dns_core.search import Searcher

    found = Searcher.of_models(models).compare(first, second)
    if plot is not None:
        from dns_apps.cli.heat_map import draw_heat_map

        draw_heat_map(plot, found, (str(first), str(second)))
    if json:
        segments = [asdict(segment) for segment in found.segments]
        answer = {"a": str(first), "b": str(second), "score": found.calibrated, "raw_score": found.score}
        print_json({**answer, "segments": segments})
        return
    print_line(f"score {found.calibrated:.3f} (raw {found.score:+.3f})")
    rows = [
        (text, f"{segment.score:.3f}")
        for text, segment in zip(segment_texts(found.segments), found.segments, strict=True)
    ]
    if rows:
        print_table("", ["A = B", ">frame similarity"], rows)
    else:
        print_line("no stretch matches")
