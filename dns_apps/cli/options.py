"""Options that several commands share, and the results that several commands print."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dns_apps.cli.output import clock
from dns_core.records import Segment

if TYPE_CHECKING:
    from dns_core.index import Index

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
Models = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of trained models; artifacts/models if that is there, else those that come along.",
    ),
]
IndexFolder = Annotated[Path, typer.Argument(metavar="INDEX", help="Folder of the index.")]
IndexOption = Annotated[Path, typer.Option(metavar="INDEX", help="Folder of the index.")]
BudgetText = Annotated[
    str, typer.Option(metavar="0.3|50ms", help="Re-rank this share of the index, or for this long.")
]

TRAINED_MODELS = Path("artifacts/models")
DEFAULT_BUDGET = "0.3"


def models_folder(
    models: Path | None, index: "Index | None" = None, *, trained: Path = TRAINED_MODELS
) -> Path:
    """The models that were asked for; else those that made ``index``, those trained here, or the shipped.

    Args:
        models: what the user named.
        index: an opened index that the models have to fit.
        trained: where models trained here would lie.
    """
    from dns_core.errors import DnsError
    from dns_core.retrieval.bundle import FINE_NETWORKS, SHIPPED_MODELS, Bundle

    if models is not None:
        return models
    folders = [folder for folder in (trained, SHIPPED_MODELS) if folder.is_dir()]
    if index is None:
        return folders[0]
    for folder in folders:
        try:
            index.manifest.check_models(Bundle.load(folder).index_models(FINE_NETWORKS[:1]))
        except DnsError:
            continue  # of another generation; if all are, whoever opens the first one says so
        return folder
    return folders[0]


def segment_texts(segments: Sequence[Segment]) -> list[str]:
    """Each segment as ``query stretch = target stretch``, in minutes and seconds."""
    return [
        f"{clock(s.query_start_s)}-{clock(s.query_end_s)} = {clock(s.target_start_s)}-{clock(s.target_end_s)}"
        for s in segments
    ]
