"""``dns data``: bring videos in, and the versions of what lies in ``data/``."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.errors import complain
from dns_apps.cli.fleet import command_fleet
from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_apps.text import clock

app = typer.Typer(no_args_is_help=True, help="Bring videos in; list, compare and restore versions of them.")

Version = Annotated[str, typer.Argument(metavar="VERSION", help="Name of a version, or how it begins.")]


@app.command()
def ingest(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of video files.")],
    collection: Annotated[str, typer.Option(help="train, database or queries.")] = "train",
) -> None:
    """Copy new videos into a collection and record a version; files that are there already are left alone."""
    from dns_core.video.discover import discover_videos
    from dns_ops.data.ingest import collection_folder, ingest_videos
    from dns_ops.pipeline.workspace_lock import workspace_lock

    root = Path.cwd()
    folder = collection_folder(root, collection)
    found = discover_videos(source)
    with workspace_lock(root):
        done = ingest_videos(found, folder, command_progress(), command_fleet())
        for row in done:
            if row.outcome == "refused":
                complain(f"{row.video_id}: {row.detail}")
        _say_recorded(root)
    counts = Counter(row.outcome for row in done)
    print_line(", ".join(f"{counts[outcome]} {outcome}" for outcome in ("added", "present", "refused")))


@app.command()
def record() -> None:
    """Record a version of what lies in data/, however it came there."""
    from dns_ops.pipeline.workspace_lock import workspace_lock

    root = Path.cwd()
    with workspace_lock(root):
        _say_recorded(root)


@app.command()
def remove(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="Ids of videos.")],
    collection: Annotated[str, typer.Option(help="train, database or queries.")] = "train",
) -> None:
    """Take videos out of a collection and record a version; earlier versions keep them."""
    from dns_ops.data.ingest import collection_folder, remove_videos
    from dns_ops.data.versioning import record_version
    from dns_ops.pipeline.workspace_lock import workspace_lock

    root = Path.cwd()
    folder = collection_folder(root, collection)
    with workspace_lock(root):
        record_version(root)
        remove_videos(folder, videos)
        _say_recorded(root)


@app.command()
def versions(json: Json = False) -> None:
    """List the versions, the newest first."""
    from dns_ops.data.versions import current_version, data_versions

    root = Path.cwd()
    current = current_version(root)
    found = data_versions(root)
    if json:
        rows = [
            {"version": v.name, "parent": v.parent, "created": v.created, "videos": v.n_videos,
             "duration_s": v.duration_s, "current": v == current}
            for v in found
        ]  # fmt: skip
        print_json(rows)
        return
    print_table(
        "",
        ["", "version", "parent", "created", ">videos", ">duration"],
        [
            ("*" if v == current else "", v.name, v.parent, v.created, str(v.n_videos), clock(v.duration_s))
            for v in found
        ],
    )


@app.command()
def diff(old: Version, new: Version, json: Json = False) -> None:
    """Show which videos one version has more, fewer and otherwise than another."""
    from dns_ops.data.versions import diff_versions, read_version

    found = diff_versions(read_version(Path.cwd(), old), read_version(Path.cwd(), new))
    if json:
        print_json(asdict(found))
        return
    for sign, names in (("+", found.added), ("-", found.removed), ("~", found.changed)):
        for name in names:
            print_line(f"{sign} {name}")
    print_line(f"{len(found.added)} added, {len(found.removed)} removed, {len(found.changed)} changed")


@app.command()
def checkout(version: Version) -> None:
    """Put the videos of a version into data/."""
    from dns_ops.data.versioning import checkout_version
    from dns_ops.pipeline.workspace_lock import workspace_lock

    with workspace_lock(Path.cwd()):
        found = checkout_version(Path.cwd(), version)
    print_line(f"data/ holds version {found.name}: {found.n_videos} videos")


def _say_recorded(root: Path) -> None:
    from dns_ops.data.versioning import record_version

    recorded = record_version(root)
    print_line(f"version {recorded.name}: {recorded.n_videos} videos, {clock(recorded.duration_s)}")
