"""Options that several commands share, and the results that several commands print."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.output import clock
from dns_core.records import Segment

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
Models = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of models; else those that made the index, artifacts/models, or the included ones.",
    ),
]
IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
IndexOption = Annotated[Path, typer.Option(metavar="INDEX", help="Folder of the index.")]
BudgetText = Annotated[
    str, typer.Option(metavar="0.3|50ms", help="Re-rank this share of the index, or for this long.")
]


def segment_texts(segments: Sequence[Segment]) -> list[str]:
    """Each segment as ``query stretch = target stretch``, in minutes and seconds."""
    return [
        f"{clock(s.query_start_s)}-{clock(s.query_end_s)} = {clock(s.target_start_s)}-{clock(s.target_end_s)}"
        for s in segments
    ]
