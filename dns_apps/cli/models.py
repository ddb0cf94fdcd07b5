"""``dns models``: registered bundles, which of them is in service, and how it came to be."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress

if TYPE_CHECKING:
    from dns_ops.tracking.store import Tracking

app = typer.Typer(no_args_is_help=True, help="Bundles: export, list, promote, roll back, history.")

_USER = getpass.getuser()
Who = Annotated[str, typer.Option("--as", metavar="NAME", help="Your name, for the history.")]


@app.command("list")
def list_versions(json: Json = False) -> None:
    """List the registered bundles, the newest first."""
    from dataclasses import asdict

    from dns_ops.releases.registry import bundle_versions

    found = bundle_versions(_tracking())
    if json:
        print_json([asdict(version) for version in found])
        return
    print_table(
        "",
        [">version", "alias", "bundle", "data", "commit", "run"],
        [
            (str(v.version), " ".join(v.aliases), v.fingerprint, v.data_version, v.commit[:12], v.run_id[:12])
            for v in found
        ],
    )


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a bundle.")],
    footage: Annotated[
        Path | None,
        typer.Option(
            "--calibrate-on",
            metavar="VIDEOS",
            help="Folder of videos: the backbone is rounded to 8 bits too, by their frames.",
        ),
    ] = None,
) -> None:
    """Export a bundle's networks, so that it searches and indexes without torch."""
    from dns_core.retrieval.export import export_bundle

    for name in export_bundle(folder, footage):
        print_line(str(folder / name))


@app.command()
def promote(
    version: Annotated[int, typer.Argument(metavar="VERSION", help="Of the bundle; 0: the challenger.")] = 0,
    force: Annotated[
        str,
        typer.Option("--force", metavar="REASON", help="Promote even if a gate fails, for this reason."),
    ] = "",
    who: Who = _USER,
) -> None:
    """Measure a bundle beside the champion, and put it in service if it passes every gate."""
    from dns_core.params import load_params
    from dns_ops.pipeline.workspace_lock import workspace_lock
    from dns_ops.releases.decisions import Request
    from dns_ops.releases.promotion import promote as promote_version

    root = Path.cwd()
    limits = load_params(root / "params.yaml").evaluate.gates
    with workspace_lock(root):
        request = Request(who=who, version=version, reason=force)
        gates = promote_version(root, _tracking(), request, limits, command_progress())
    print_table(
        "",
        ["gate", "", "expected", "found"],
        [(gate.name, "passed" if gate.passed else "failed", gate.expected, gate.found) for gate in gates],
    )
    print_line("the champion and its index: releases/champion")


@app.command()
def reject(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="Why, for the history.")],
    version: Annotated[int, typer.Option(help="Of the bundle; 0: the challenger.")] = 0,
    who: Who = _USER,
) -> None:
    """Reject the challenger: it stays registered, but is no longer the challenger."""
    from dns_ops.pipeline.workspace_lock import workspace_lock
    from dns_ops.releases.decisions import Request
    from dns_ops.releases.decisions import reject as reject_version

    with workspace_lock(Path.cwd()):
        found = reject_version(Path.cwd(), _tracking(), Request(who=who, version=version, reason=reason))
    print_line(f"version {found} is no longer the challenger")


@app.command()
def rollback(
    reason: Annotated[str, typer.Option(metavar="REASON", help="Why, for the history.")] = "",
    who: Who = _USER,
) -> None:
    """Put the champion before this one back in service, with its index."""
    from dns_ops.pipeline.workspace_lock import workspace_lock
    from dns_ops.releases.promotion import rollback as roll_back

    with workspace_lock(Path.cwd()):
        version = roll_back(Path.cwd(), _tracking(), who, reason)
    print_line(f"version {version} is the champion again")


@app.command()
def history(json: Json = False) -> None:
    """Show every decision, the oldest first."""
    from dns_ops.releases.decisions import promotions

    rows = promotions(Path.cwd())
    if json:
        print_json(rows)
        return
    print_table(
        "",
        ["at", "who", "action", ">version", "champion", "why"],
        [
            (str(r["at"]), str(r["who"]), str(r["action"]), str(r["version"]),
             f"{r['before']} -> {r['after']}", _why(r))
            for r in rows
        ],
    )  # fmt: skip


def _why(row: dict[str, object]) -> str:
    gates = row.get("gates")
    failed = [gate["name"] for gate in gates if not gate["passed"]] if isinstance(gates, list) else []
    parts = [f"failed: {', '.join(failed)}"] if failed else []
    return "; ".join([*parts, str(row["reason"])] if row.get("reason") else parts)


def _tracking() -> "Tracking":
    from dns_ops.settings import load_settings
    from dns_ops.tracking.store import open_tracking

    root = Path.cwd()
    return open_tracking(root, load_settings(root))
