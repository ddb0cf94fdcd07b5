"""``dns index sync``: bring an index up to a folder, once or for as long as the folder changes."""

from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from dns_apps.cli.errors import complain
from dns_apps.cli.fleet import command_fleet
from dns_apps.cli.options import IndexFolder, Json, Models
from dns_apps.cli.output import print_json, print_line
from dns_apps.cli.progress import command_progress
from dns_core.errors import InputError, ParamsError
from dns_core.ports import Progress, SilentProgress

if TYPE_CHECKING:
    from dns_core.retrieval.sync import Plan, Synced


class _Once(Protocol):
    def __call__(self, shown: Progress, *, always: bool) -> None: ...


def sync(
    index: IndexFolder,
    *,
    videos: Annotated[Path, typer.Option(metavar="DIR", help="The folder that the index shall show.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
    ] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep the index up to the folder until Ctrl-C.")
    ] = False,
    every: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="SECONDS", help="With --follow: look so often, as on network mounts."),
    ] = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """Bring an index up to a folder: new, changed, moved and gone files; nothing is decoded twice."""
    from dns_core.index import open_index
    from dns_core.retrieval.bundle import Bundle
    from dns_core.retrieval.sync import plan_sync, sync_index
    from dns_core.search import models_folder

    if (follow and dry_run) or (every and not follow):
        raise ParamsError("expected --follow without --dry-run, and --every with --follow")
    bundle, progress = Bundle.load(models_folder(models, open_index(index))), command_progress()

    def once(shown: Progress, *, always: bool) -> None:
        plan = plan_sync(index, videos, shown)
        if always or not plan.is_empty:
            done = None if dry_run else sync_index(index, plan, bundle, progress, command_fleet())
            _print(plan, done, json)

    if follow:
        _follow(once, videos, every)
    else:
        once(progress, always=True)


def _follow(once: _Once, videos: Path, every_s: float | None) -> None:
    """Do it whenever the folder changes, until Ctrl-C."""
    from dns_apps.cli.folder_changes import changes

    with suppress(KeyboardInterrupt), closing(changes(videos, every_s)) as rounds:
        for number, _ in enumerate(rounds):
            try:
                once(SilentProgress(), always=number == 0)
            except InputError as error:  # the disk is away for a while, or the folder is empty
                complain(str(error))
    complain("stopped; what was finished is kept")


def _print(plan: "Plan", done: "Synced | None", json: bool) -> None:
    changes = {
        "new": [video_id for video_id, _ in plan.new],
        "changed": [video_id for video_id, _ in plan.changed],
        "moved": [f"{move.old} -> {move.new}" for move in plan.moved],
        "gone": list(plan.gone),
    }
    if json:
        figures = ("version", "n_videos", "n_decoded", "n_quarantined")
        found = {name: getattr(done, name) for name in figures} if done else {}
        moved = [{"from": move.old, "to": move.new} for move in plan.moved]
        print_json({**changes, "moved": moved, "n_kept": plan.n_kept, **found})
        return
    for word, names in () if done else changes.items():
        for name in names:
            print_line(f"{word:8} {name}")
    print_line(", ".join([*(f"{len(v)} {word}" for word, v in changes.items()), f"{plan.n_kept} kept"]))
    if done:
        decoded = f"{done.n_decoded} decoded, {done.n_quarantined} quarantined"
        print_line(f"version {done.version}: {done.n_videos} videos; {decoded}")
