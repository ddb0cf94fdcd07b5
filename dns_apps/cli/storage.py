"""``dns storage``: videos, features, models and indices in a bucket of an S3 server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dns_apps.cli.output import print_line
from dns_apps.cli.progress import command_progress

if TYPE_CHECKING:
    from dns_ops.storage.bucket import Bucket

app = typer.Typer(no_args_is_help=True, help="Keep videos, features, models and indices in an S3 bucket.")

Kind = Annotated[str, typer.Argument(metavar="KIND", help="videos, features, models or index.")]
Folder = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Another folder than the workspace has them in.")
]


@app.command()
def push(kind: Kind, folder: Folder = None) -> None:
    """Publish a new version: readers get the one before until all of it is there."""
    from dns_ops.pipeline.workspace_lock import workspace_lock
    from dns_ops.storage.trees import local_folder, push_tree

    root = Path.cwd()
    place = local_folder(root, kind)
    with workspace_lock(root):
        tree, n_moved = push_tree(_bucket(), kind, folder or place, command_progress())
    print_line(f"{kind} {tree.version}: {len(tree.files)} files, {n_moved} uploaded")


@app.command()
def pull(
    kind: Kind,
    folder: Folder = None,
    version: Annotated[str, typer.Option(metavar="NAME", help="The current one if not given.")] = "",
) -> None:
    """Put a version in place of what lies in the workspace; files that are there are not fetched."""
    from dns_ops.pipeline.workspace_lock import workspace_lock
    from dns_ops.storage.trees import local_folder, pull_tree

    root = Path.cwd()
    place = local_folder(root, kind)
    with workspace_lock(root):
        tree = pull_tree(_bucket(), kind, folder or place, command_progress(), version)
    print_line(f"{kind} {tree.version}: {len(tree.files)} files")


@app.command()
def url(
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Path in data/, as it was pushed.")],
    seconds: Annotated[int, typer.Option(min=1, max=604800, help="How long the address holds.")] = 3600,
) -> None:
    """Print an address at which a pushed video can be played for a while."""
    from dns_ops.storage.trees import playback_url

    print_line(playback_url(_bucket(), video, seconds))


@app.command()
def connect() -> None:
    """Make the bucket DVC's remote in this clone, for `dvc push` and `dvc pull`."""
    from dns_ops.settings import load_settings
    from dns_ops.storage.remote import connect_remote

    root = Path.cwd()
    print_line(f"DVC keeps its files in {connect_remote(root, load_settings(root))}")


def _bucket() -> "Bucket":
    from dns_ops.settings import load_settings
    from dns_ops.storage.bucket import Bucket

    return Bucket(load_settings(Path.cwd()))
