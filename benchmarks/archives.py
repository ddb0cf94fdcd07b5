"""*Archives*: how well a copy is found in videos of minutes, by the share that is compared finely.

```console
$ python -m benchmarks.archives make WORKSPACE --photos DIR --out archives
$ python -m benchmarks.archives run archives --chunk-frames 256 64 32
```

``WORKSPACE`` is one of ``dns benchmark make``: its held-out clips are cut into shots, one of each group of
twins. Photographs, filmed by a camera that moves, are the rest of the footage.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.archive_judging import Judged, judge, print_judged
from benchmarks.archive_making import VERSION, QueryMaker, draw_archives, write_archives
from benchmarks.archive_shots import Footage, draw_shots, without_twins
from dns_apps.cli.progress import line_progress
from dns_core.ports import Progress
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.index_settings import FINE_NETWORKS
from dns_core.retrieval.pipeline import open_features
from dns_core.store.atomic import read_json, write_json
from dns_core.store.feature_store import FeatureWriter
from dns_core.workspace import Workspace

_LARGEST_SOURCE = 8
_SECONDS = (60.0, 360.0)


def main() -> None:
    """Make the benchmark, or judge a bundle on it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make")
    making.add_argument("workspace", type=Path)
    making.add_argument("--photos", type=Path, required=True)
    making.add_argument("--out", type=Path, required=True)
    making.add_argument("--seed", type=int, default=1)
    making.add_argument("--queries", type=int, default=10, help="of each kind")
    running = commands.add_parser("run")
    running.add_argument("folder", type=Path)
    running.add_argument("--models", type=Path, default=SHIPPED_MODELS)
    running.add_argument("--chunk-frames", type=int, nargs="+", default=[256])
    running.add_argument("--fine", choices=FINE_NETWORKS, default=FINE_NETWORKS[0])
    running.add_argument("--teacher", action="store_true")
    asked = parser.parse_args()
    progress = line_progress(sys.stderr)
    if asked.command == "make":
        make(asked, progress)
    else:
        run(asked, progress)


def make(asked: argparse.Namespace, progress: Progress) -> None:
    """Write the files of the benchmark."""
    videos = Workspace(asked.workspace).videos("database")
    twins = read_json(asked.workspace / "data" / "benchmark.json")["twins"]
    ids = [path.relative_to(videos).as_posix() for path in videos.rglob("*") if path.is_file()]
    clips = without_twins(ids, twins, _LARGEST_SOURCE)
    rng = np.random.default_rng([VERSION, asked.seed])
    shots = draw_shots(videos, clips, asked.photos, rng)
    archives, fillers = draw_archives(shots, _SECONDS, rng)
    maker = QueryMaker(archives, fillers, Footage(videos, asked.photos), rng)
    queries = write_archives(asked.out, maker, asked.queries, progress)
    filmed_s = sum(shot.length_s for shot in shots if "/" in shot.source)
    facts = {
        "version": VERSION,
        "seed": asked.seed,
        "archives": len(archives),
        "minutes": round(sum(archive.length_s for archive in archives) / 60),
        "minutes_of_clips": round(filmed_s / 60, 1),
        "queries": len(queries),
    }
    write_json(asked.out / "archives.json", facts)
    progress.say(str(facts))


def run(asked: argparse.Namespace, progress: Progress) -> None:
    """Describe what is not described yet, then judge."""
    bundle = Bundle.load(asked.models)
    for kind in ("database", "queries"):
        describe(asked.folder, kind, bundle, progress)
    results = [
        judge(asked.folder, bundle, Judged(asked.fine, frames, asked.teacher), progress)
        for frames in asked.chunk_frames
    ]
    write_json(asked.folder / "results.json", results)
    for result in results:
        print_judged(result)


def describe(folder: Path, kind: str, bundle: Bundle, progress: Progress) -> None:
    """Whitened features of the files of ``kind``, kept beside them for the models that made them."""
    path = folder / f"{kind}.hdf5"
    files = sorted((folder / kind).glob("*.mp4"))
    whitening = bundle.index_models(())["whitening"]
    writer = FeatureWriter(path, metadata={"whitening": whitening}, partial=folder / f"{kind}.partial")
    if path.is_file() and path.stat().st_mtime > max(file.stat().st_mtime for file in files):
        return
    pipeline = open_features(bundle)
    for file in progress.track(files, f"describing {kind}", len(files)):
        if not writer.done(file.name):
            features = pipeline.features(file, file.name)
            writer.write(file.name, [(features.regions, features.times_s)])
    writer.finish([file.name for file in files])


if __name__ == "__main__":
    main()
