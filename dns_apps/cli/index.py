"""``dns index``: make an index, change it, look at it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dns_apps.cli.fleet import command_fleet
from dns_apps.cli.options import IndexFolder, Json, Models
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress
from dns_apps.cli.sync import sync
from dns_apps.text import size

if TYPE_CHECKING:
    from dns_core.index import Manifest

app = typer.Typer(no_args_is_help=True, help="Make an index of videos, change it, look at it.")


@app.command()
def build(
    videos: Annotated[Path, typer.Option(metavar="DIR", help="Videos to index.")],
    out: Annotated[Path, typer.Option(metavar="INDEX", help="Where to write the index.")],
    models: Models = None,
    merge_from: Annotated[
        float | None,
        typer.Option(metavar="COSINE", help="Store a frame as an earlier one that looks so alike, e.g. 0.9."),
    ] = None,
    json: Json = False,
) -> None:
    """Index every video of a folder; what cannot be read is listed with its reason."""
    from dns_core.search import index_videos

    manifest = index_videos(
        videos, out, models, progress=command_progress(), merge_from=merge_from, fleet=command_fleet()
    )
    _print_change(manifest, json=json)


@app.command()
def add(
    index: IndexFolder,
    videos: Annotated[
        list[Path], typer.Argument(metavar="VIDEO...", help="Video files, or folders of them.")
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Ids are paths relative to this; else names, as `build` gives them."
        ),
    ] = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """Add videos to an index, and all those of a folder."""
    from dns_core.video.discover import named_videos

    named = named_videos(videos, root)
    from dns_core.index import open_index

    opened = open_index(index)
    from dns_core.retrieval.bundle import Bundle
    from dns_core.retrieval.pipeline import add_to_index
    from dns_core.search import models_folder

    bundle = Bundle.load(models_folder(models, opened))
    _print_change(add_to_index(index, named, bundle, command_progress(), command_fleet()), json=json)


app.command()(sync)


@app.command()
def remove(
    index: IndexFolder,
    ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of the videos to remove.")],
    json: Json = False,
) -> None:
    """Take videos out of an index; their space is freed by ``dns index compact``."""
    from dns_core.index import remove_videos

    _print_change(remove_videos(index, ids), json=json)


@app.command()
def refresh(json: Json = False) -> None:
    """Bring the index in service up to data/test/database: describe what is new, remove what is gone."""
    from dns_ops.pipeline.workspace_lock import workspace_lock
    from dns_ops.releases.refresh import refresh_index

    with workspace_lock(Path.cwd()):
        done = refresh_index(Path.cwd(), command_progress())
    if json:
        print_json(asdict(done))
    else:
        print_line(f"{len(done.added)} added, {len(done.removed)} removed, {done.kept} kept")


@app.command()
def compact(
    index: IndexFolder,
    shard_videos: Annotated[
        int, typer.Option(min=0, metavar="N", help="Videos of a shard, for several machines; 0 is one shard.")
    ] = 0,
    json: Json = False,
) -> None:
    """Rewrite an index without removed videos; results stay the same."""
    from dns_core.index import compact_index

    _print_change(compact_index(index, shard_videos), json=json)


@app.command()
def verify(index: IndexFolder, json: Json = False) -> None:
    """Read every byte of an index and compare it with what was written."""
    from dns_core.index import verify_index

    manifest = verify_index(index)
    if json:
        print_json({"index": str(index), "version": manifest.version, "whole": True})
    else:
        print_line(f"{index}: version {manifest.version} is whole")


@app.command()
def info(index: IndexFolder, json: Json = False) -> None:
    """Show what an index holds and which models made it."""
    from dns_core.index import index_info

    found = index_info(index)
    figures = {name: value for name, value in _fields(found).items() if name != "manifest"}
    quarantined = [asdict(row) for row in found.manifest.quarantine]
    models = dict(found.manifest.models)
    if json:
        print_json(
            {
                "index": str(index),
                "version": found.manifest.version,
                **figures,
                "bytes_per_video": found.n_bytes / found.n_videos if found.n_videos else 0,
                "models": models,
                "params": dict(found.manifest.params),
                "quarantine": quarantined,
            }
        )
        return
    rows = [("version", str(found.manifest.version))]
    rows += [
        (name.removeprefix("n_"), size(v) if name == "n_bytes" else str(v)) for name, v in figures.items()
    ]
    rows += [(f"made by {role}", fingerprint) for role, fingerprint in models.items()]
    print_table(str(index), ["", "found"], rows)
    if quarantined:
        print_table(
            "quarantined",
            ["video", "reason", "detail"],
            [(row["video_id"], row["reason"], row["detail"]) for row in quarantined],
        )


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _print_change(manifest: "Manifest", *, json: bool) -> None:
    n_videos = sum(entry.n_videos - len(entry.removed) for entry in manifest.shards)
    quarantine = [asdict(row) for row in manifest.quarantine]
    if json:
        print_json({"version": manifest.version, "n_videos": n_videos, "quarantine": quarantine})
    else:
        print_line(f"version {manifest.version}: {n_videos} videos, {len(quarantine)} quarantined")
