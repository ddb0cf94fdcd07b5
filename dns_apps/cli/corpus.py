"""``dns corpus``: make videos to learn and to test with."""

from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.progress import command_progress

app = typer.Typer(no_args_is_help=True, help="Make videos to learn and to test with.")


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the corpus.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same videos.")] = 0,
) -> None:
    """Film a small corpus: training videos, a database, queries and their ground truth."""
    from dns_core.corpus.demo import make_demo_corpus

    make_demo_corpus(folder, seed=seed, progress=command_progress())


@app.command()
def edit(
    videos: Annotated[Path, typer.Option(metavar="DIR", help="Videos to make edited copies of.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write queries and ground truth.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same copies.")] = 0,
    edits: Annotated[
        str, typer.Option(metavar="NAME,...", help="Which edits to make; all of them if not given.")
    ] = "",
) -> None:
    """Make edited copies of your own videos, to measure how well they are found."""
    from dns_core.corpus.edited import make_edited_copies

    names = [name.strip() for name in edits.split(",") if name.strip()]
    make_edited_copies(videos, out, seed=seed, edits=names or None, progress=command_progress())
