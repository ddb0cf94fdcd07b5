"""``dns hashes``: exchange lists of PDQ and vPDQ hashes with others."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dns_apps.cli.errors import NOT_FOUND, complain
from dns_apps.cli.options import IndexFolder, Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_apps.cli.tables import check_form, write_table
from dns_apps.text import clock

if TYPE_CHECKING:
    from dns_core.hashes.matching import HashMatch
    from dns_core.hashes.signals import Signal
    from dns_core.records import Quarantined

app = typer.Typer(no_args_is_help=True, help="Exchange lists of PDQ and vPDQ hashes with others.")

_SOURCE = "An index, a list of hashes (.txt, .json, .jsonl, .csv, .te), or videos, pictures and folders."
Sources = Annotated[list[Path], typer.Argument(metavar="SOURCE...", help=_SOURCE)]


@app.command()
def add(
    index: IndexFolder,
    videos: Annotated[Path, typer.Option(metavar="DIR", help="The folder that was indexed.")],
    json: Json = False,
) -> None:
    """Hash the videos of an index that have no hashes yet, so that lists can be searched in it."""
    from dns_core.hashes.kept import add_hashes, index_signals
    from dns_core.index import open_index
    from dns_core.video.discover import discover_videos

    opened = open_index(index)
    refused = add_hashes(opened, index, dict(discover_videos(videos)), command_progress())
    _complain(refused)
    n_hashed = len(index_signals(opened, index))
    if json:
        rows = [asdict(row) for row in refused]
        print_json({"n_videos": opened.n_videos, "n_hashed": n_hashed, "refused": rows})
    else:
        print_line(f"{n_hashed} of {opened.n_videos} videos have hashes")


@app.command()
def export(
    sources: Sources,
    out: Annotated[Path, typer.Option(metavar="LIST.json|txt", help="The list; names stand in JSON only.")],
) -> None:
    """Write the hashes of an index, of files or of other lists as one list."""
    from dns_core.hashes.lists import FORMS, write_list

    check_form(out, FORMS)
    signals = _signals(sources)
    write_list(out, signals)
    n_frames = sum(len(signal.frames) for signal in signals)
    print_line(f"{len(signals)} entries, {n_frames} hashes, written to {out}")


@app.command()
def search(
    query: Annotated[Path, typer.Argument(metavar="LIST", help=f"What is looked for. {_SOURCE}")],
    sources: Sources,
    *,
    distance: Annotated[int, typer.Option(min=0, max=256, help="Bits of 256 that may differ.")] = 31,
    quality: Annotated[int, typer.Option(min=0, max=100, help="Quality that a frame needs.")] = 50,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Of the frames of either video that must be found.")
    ] = 0.8,
    out: Annotated[
        Path | None, typer.Option(metavar="found.csv|jsonl|parquet", help="Write a table of what is found.")
    ] = None,
    json: Json = False,
) -> None:
    """Find the entries of a list in an index, in files or in another list; exit status 1 if none is there."""
    from dns_core.hashes.matching import HashMatch, HashSearch, Rule

    if out is not None:
        check_form(out)
    searched = HashSearch(_signals(sources), Rule(distance, quality, share))
    found = [match for signal in _signals([query]) for match in searched.matches(signal)]
    if out is not None:
        write_table(out, [field.name for field in fields(HashMatch)], [asdict(match) for match in found])
    if searched.n_without:
        complain(
            f"{searched.n_without} of those searched have no frame of quality {quality}; none can be found"
        )
    if json:
        print_json([asdict(match) for match in found])
    else:
        _print(found)
    if not found:
        raise typer.Exit(NOT_FOUND)


def _print(found: "list[HashMatch]") -> None:
    rows = [
        (
            match.query,
            match.target,
            f"{match.query_share:.0%}",
            f"{match.target_share:.0%}",
            str(match.distance),
            f"{clock(match.query_s)} = {clock(match.target_s)}",
        )
        for match in found
    ]
    print_table("", ["entry", "found in", ">of entry", ">of video", ">bits", "moment"], rows)
    print_line(f"{len({match.query for match in found})} entries were found")


def _signals(sources: list[Path]) -> "list[Signal]":
    return [signal for source in sources for signal in _signals_of(source)]


def _signals_of(source: Path) -> "list[Signal]":
    """The hashes of an index, of a list, or of files, which are hashed now."""
    from dns_core.hashes.kept import hash_files, index_signals
    from dns_core.hashes.lists import LISTS, read_list
    from dns_core.index import is_index, open_index
    from dns_core.video.discover import named_videos

    if source.suffix.lower() in LISTS and source.is_file():
        found = read_list(source)
        for reason in found.refused:
            complain(reason)
        return found.signals
    if is_index(source):
        return index_signals(open_index(source), source)
    hashed = hash_files(named_videos([source]), command_progress())
    _complain(hashed.refused)
    return hashed.signals


def _complain(refused: "list[Quarantined]") -> None:
    """Name the files that could not be hashed; a text beside videos is not missed."""
    for row in refused:
        if row.is_video:
            complain(f"{row.video_id}: {row.reason}: {row.detail}")
