"""The figures of `dns plan`: ``python -m benchmarks.capacity VIDEOS [--keep] [--scatter-ms MS]``.

Measured on one machine with the shipped models: processor time of describing (the worker's and its
decoder's; of short videos, so that for long ones it is an upper bound), a query taken apart, bytes on disk
and in memory.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.searches import FINE, growth
from dns_core.evaluation.capacity import Figures, Measured
from dns_core.index import Index, open_index
from dns_core.measurement.search_costs import measure_costs
from dns_core.retrieval.engine import Engine
from dns_core.search import Searcher
from dns_core.store.atomic import write_json

_FEW, _MANY = 8, 72
_QUERIES = 5
_SEARCHED = 100_000
_SHARE = 0.3
FILE = Path(__file__).parents[1] / "dns_core" / "evaluation" / "capacity.json"


def figures(videos: Path, folder: Path, scatter_s: float) -> Figures:
    """The figures of this machine.

    Args:
        videos: folder of video files.
        folder: for files of the measurement.
        scatter_s: see `Figures`.
    """
    files = sorted(path for path in videos.rglob("*") if path.suffix in (".mp4", ".webm", ".mkv", ".mov"))
    few_s, few = _described(files[:_FEW], folder / "few")
    many_s, many = _described(files[:_MANY], folder / "many")
    searcher = Searcher.open(folder / "many")
    queries = [searcher.pipeline.features(path, path.name) for path in files[:_QUERIES]]
    cost = measure_costs(Engine(many, searcher.bundle, fine=FINE), queries)
    n_videos, shards = many.n_videos, many.manifest.shards
    search = Measured(
        f"dns_{FINE}", _SHARE, {}, n_videos, _seconds(many) / n_videos, cost,
        {part: n_bytes / n_videos for part, n_bytes in many.manifest.parts.items()},
        sum(entry.n_frames for entry in shards) / n_videos,
        sum(entry.n_chunks for entry in shards) / n_videos,
        float(np.median([query.n_frames for query in queries])),
    )  # fmt: skip
    resident = growth((_SEARCHED,))[f"{_SEARCHED} videos: resident bytes a video when open"]
    source = f"{len(os.sched_getaffinity(0))} cores of {_processor()}, {datetime.now(UTC):%Y-%m-%d}"
    speed = (many_s - few_s) / (_seconds(many) - _seconds(few))
    return Figures(source, search, speed, resident, _SEARCHED, scatter_s)


def _described(files: list[Path], index: Path) -> tuple[float, Index]:
    """Processor seconds of `dns index build` with one worker, and the index."""
    own = index.with_name(f"{index.name} videos")
    own.mkdir()
    for number, file in enumerate(files):
        (own / f"{number:03}{file.suffix}").symlink_to(file)
    command = [sys.executable, "-c", "from dns_apps.cli.main import main; main()"]
    environment = {**os.environ, "DNS_WORKERS": "1"}
    before = _children_s()
    subprocess.run(  # noqa: S603 - a fixed command; folders made here
        [*command, "index", "build", "--videos", str(own), "--out", str(index)],
        env=environment, cwd=index.parent, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return _children_s() - before, open_index(index)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _seconds(index: Index) -> float:
    return sum(probe.duration_s for probe in index.probes if probe)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.machine()


def main() -> None:
    """Print the figures, or keep them for `dns plan`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=Path)
    parser.add_argument("--keep", action="store_true", help=f"write {FILE.name} of the package")
    parser.add_argument("--scatter-ms", type=float, help="of a search in shards; as kept if not given")
    arguments = parser.parse_args()
    kept = Figures.kept().scatter_s if FILE.exists() else 0.0
    with tempfile.TemporaryDirectory() as folder:
        found = figures(arguments.videos, Path(folder), kept)
    if arguments.scatter_ms is not None:
        found = replace(found, scatter_s=arguments.scatter_ms / 1000)
    if arguments.keep:
        write_json(FILE, asdict(found))
    else:
        sys.stdout.write(json.dumps(asdict(found), indent=1) + "\n")


if __name__ == "__main__":
    main()
