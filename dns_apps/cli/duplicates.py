"""``dns duplicates``: which videos of an archive show the same."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dns_apps.cli.options import IndexFolder, Json, Models
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_apps.text import size
from dns_core.errors import InputError

if TYPE_CHECKING:
    from dns_core.records import VideoProbe
    from dns_core.retrieval.duplicates import Asked, Found
    from dns_core.retrieval.groups import Group

_KINDS = {
    "copy": ("identical", "copy"),
    "excerpt": ("excerpt", "contains"),
    "any": ("identical", "copy", "excerpt", "contains", "overlap", "alike"),
}
_JOURNAL = "duplicates.jsonl"
_JOURNAL_AGAINST = "duplicates-against.jsonl"


def duplicates(
    index: IndexFolder,
    *,
    against: Annotated[
        Path | None, typer.Option(metavar="INDEX2", help="Search the videos of INDEX in this one instead.")
    ] = None,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Of the pairs that are told.")] = 0.9,
    kind: Annotated[Literal["copy", "excerpt", "any"], typer.Option(help="Which pairs are told.")] = "any",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="report.html|json|csv|jsonl|parquet|fiftyone",
            help="Write a page, a table of the pairs, or labels for FiftyOne.",
        ),
    ] = None,
    videos: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The folder of the videos, for pictures and paths.")
    ] = None,
    shortlist: Annotated[int, typer.Option(min=1, help="Videos that each one is compared with.")] = 30,
    models: Models = None,
    json: Json = False,
) -> None:
    """Find the videos of an archive that are copies, excerpts or share a stretch; nothing is deleted."""
    from dns_apps.cli.duplicates_report import check_report, report_json, write_report
    from dns_core.retrieval.duplicates import Asked
    from dns_core.retrieval.groups import gathered

    if out is not None:
        check_report(out, videos)
    if videos is not None and not videos.is_dir():
        raise InputError(f"{videos}: expected the folder of the videos, found none")
    found, probes = _found(index, against, Asked(min_score, shortlist), models)
    found = replace(found, pairs=[pair for pair in found.pairs if pair.kind in _KINDS[kind]])
    groups = gathered(found.pairs, probes) if against is None else []
    if out is not None:
        write_report(out, found, groups, probes, videos)
    if json:
        print_json(report_json(found, groups, probes))
    else:
        _print(found, groups, out)


def _found(
    index: Path, against: Path | None, asked: "Asked", models: Path | None
) -> "tuple[Found, dict[str, VideoProbe]]":
    """The pairs, and what is known of the files."""
    from dns_core.index import open_index
    from dns_core.retrieval.bundle import Bundle
    from dns_core.retrieval.duplicates import find_duplicates
    from dns_core.retrieval.engine import Engine
    from dns_core.search import models_folder

    source = open_index(index)
    target = source if against is None else open_index(against)
    engine = Engine(target, Bundle.load(models_folder(models, target)))
    journal = index / (_JOURNAL if against is None else _JOURNAL_AGAINST)
    of = None if against is None else source
    found = find_duplicates(engine, asked, journal, command_progress(), of=of)
    return found, {probe.video_id: probe for opened in (target, source) for probe in opened.probes if probe}


def _print(found: "Found", groups: list["Group"], out: Path | None) -> None:
    rows = [
        (group.kind, group.best, str(len(group.others)), size(group.freed_bytes), group.why)
        for group in groups
    ]
    if rows:
        print_table("", ["group", "best", ">others", ">could be freed", "why"], rows)
    elif found.pairs:
        pairs = [(f"{pair.score:.3f}", pair.kind, pair.first, pair.second) for pair in found.pairs]
        print_table("", [">score", "kind", "first", "second"], pairs)
    n_all = found.n_videos * (found.n_videos - 1) // 2
    print_line(
        f"{found.n_videos} videos: {len(found.pairs)} pairs in {len(groups)} groups; "
        f"{found.n_compared} pairs were compared of {n_all}"
    )
    if out is not None:
        print_line(f"written to {out}")
