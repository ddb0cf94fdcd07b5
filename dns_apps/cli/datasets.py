"""``dns datasets``: public benchmarks, their annotation files and their feature files."""

from pathlib import Path
from typing import Annotated

import typer

from dns_apps.cli.options import Json
from dns_apps.cli.output import print_json, print_line, print_table
from dns_apps.cli.progress import command_progress

app = typer.Typer(no_args_is_help=True, help="Read and convert the files of public benchmarks.")

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", help="A name of `dns datasets list`.")]


@app.command(name="list")
def list_datasets(json: Json = False) -> None:
    """List the benchmarks that are known, and where each annotation file is published."""
    from dns_core.datasets.registry import DATASETS

    if json:
        print_json({name: dataset.origin for name, dataset in DATASETS.items()})
        return
    print_table("", ["dataset", "annotation file"], [(name, d.origin) for name, d in DATASETS.items()])


@app.command()
def convert(
    dataset: DatasetName,
    annotations: Annotated[Path, typer.Argument(metavar="FILE", help="The published annotation file.")],
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="The ground truth to write.")],
    distractors: Annotated[
        Path | None, typer.Option(metavar="FILE", help="SVD's list of unlabelled videos.")
    ] = None,
    json: Json = False,
) -> None:
    """Convert an annotation file to JSON without running anything that is in it."""
    from dns_core.datasets.benchmark import write_benchmark
    from dns_core.datasets.registry import read_dataset

    benchmark = read_dataset(dataset, annotations, distractors)
    write_benchmark(out, benchmark)
    truth = benchmark.truth
    counts = {
        "queries": len(truth.queries),
        "videos": len(truth.database),
        "labels": sum(map(len, truth.labels.values())),
        "segments": sum(len(s) for by_video in truth.segments.values() for s in by_video.values()),
    }
    if json:
        print_json({"dataset": benchmark.name, **counts})
        return
    print_line(f"{out}: {benchmark.name}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))


@app.command()
def features(
    source: Annotated[Path, typer.Argument(metavar="FILE.hdf5", help="Features of this software.")],
    out: Annotated[Path, typer.Option(metavar="FILE.hdf5", help="The file to write.")],
) -> None:
    """Write features in the layout that the reference's scripts read."""
    from dns_core.store.feature_store import FeatureStore
    from dns_core.store.reference_features import write_reference_features

    with FeatureStore.open(source) as store:
        ids = command_progress().track(store.ids, "videos")
        n_videos = write_reference_features(out, (store.read(video_id) for video_id in ids))
    print_line(f"{out}: {n_videos} videos")
