"""The command ``dns``."""

import sys
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated

import typer

from dns_apps.cli import (
    benchmark,
    check,
    compare,
    corpus,
    dashboard,
    data,
    datasets,
    duplicates,
    evaluate,
    hashes,
    index,
    models,
    pipeline,
    plan,
    platform,
    query,
    serve,
    storage,
    watch,
    weights,
)
from dns_apps.cli.errors import OneLineErrors
from dns_core.cores import limit_threads

app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Find every copy, excerpt and other footage of a clip in a large video archive.",
)
app.add_typer(corpus.app, name="corpus")
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(data.app, name="data")
app.command()(pipeline.stage)
app.command()(pipeline.reproduce)
app.add_typer(index.app, name="index")
app.command()(query.query)
app.command()(watch.watch)
app.command()(compare.compare)
app.command()(duplicates.duplicates)
app.add_typer(hashes.app, name="hashes")
app.command()(evaluate.evaluate)
app.add_typer(weights.app, name="weights")
app.add_typer(datasets.app, name="datasets")
app.add_typer(models.app, name="models")
app.add_typer(storage.app, name="storage")
app.command()(check.check)
app.command()(plan.plan)
app.command()(serve.serve)
app.command()(platform.up)
app.command()(platform.down)
app.command()(platform.status)
app.command()(platform.worker)
app.command()(dashboard.dashboard)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dns {version('distill-and-select')}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    """Apply the options of every command."""


def main() -> None:
    """Run the command line of this process."""
    # A file name may hold bytes that are no text; printing one must not fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    limit_threads()
    app(prog_name="dns")
