"""Options that several commands share, and the results that several commands print."""

from pathlib import Path
from typing import Annotated

import typer

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
IndexedFolder = Annotated[
    Path | None,
    typer.Option(
        "--videos",
        metavar="DIR",
        help="The indexed folder: the moment that a picture shows is read from its files.",
    ),
]
MinScore = Annotated[
    float, typer.Option(min=0, max=1, help="Of the answers; exit status 1 if no query has one.")
]
BudgetText = Annotated[
    str, typer.Option(metavar="0.3|50ms", help="Re-rank this share of the index, or for this long.")
]
