"""Two workers beside one: ``python -m benchmarks.describing VIDEOS [--count N] [--repeats N] [--cluster]``.

Processes are bound to as many cores as there are workers, those of a cluster to a core for each machine; a
worker shares its core with its decoder. Also what a fleet itself costs, from tasks that do nothing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.ray_machines import ray_machines
from dns_core.fleet import Fleet, Json, LocalFleet, Place, Task, Work, run_all
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.intake import describing, to_describe
from dns_ops.fleet.connection import open_cluster
from dns_ops.fleet.pool import PoolFleet

_EMPTY = 2000
_TYPES = (".mp4", ".webm", ".mkv", ".mov")


class NoWork:
    """A worker that does nothing."""

    def __init__(self, settings: Json, place: Place) -> None: ...

    def do(self, _task: Task) -> Json:
        """Nothing."""
        return {}

    def close(self) -> None:
        """Nothing."""


def _measured(kind: str, n_workers: int, videos: Path, count: int) -> dict[str, float]:
    """Seconds of describing, and milliseconds of the fleet for a task, in this process."""
    files = [path for path in sorted(videos.rglob("*")) if path.suffix in _TYPES][:count]
    place, found = Place(threads=1), {}
    with tempfile.TemporaryDirectory() as folder, _fleet(kind, n_workers, place, Path(folder)) as fleet:
        work = describing(VideoEncoder(Bundle.load(SHIPPED_MODELS)), Path(folder))
        tasks = [to_describe(str(path.relative_to(videos)), path) for path in files]
        began_s = time.perf_counter()
        arrived = [time.perf_counter() - began_s for _ in run_all(fleet, work, tasks)]
        found = {"first_s": arrived[0], "all_s": arrived[-1]}
        nothing = Work("benchmarks.describing:NoWork", {})
        arrived = [
            time.perf_counter() for _ in run_all(fleet, nothing, [Task(str(n)) for n in range(_EMPTY)])
        ]
        half = len(arrived) // 2  # by then workers have started
        found["task_ms"] = 1000 * (arrived[-1] - arrived[half - 1]) / half
    return found


@contextmanager
def _fleet(kind: str, n_workers: int, place: Place, folder: Path) -> Iterator[Fleet]:
    if kind == "one process":
        yield LocalFleet(place)
    elif kind == "pool":
        yield PoolFleet(n_workers, place)
    else:
        with ray_machines(n_workers, folder / "cluster", bound=True) as machines:
            yield open_cluster(machines.address, place)


def main() -> None:
    """Print medians of the repeats, in turns, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=Path)
    parser.add_argument("--count", type=int, default=100, help="videos that are described")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--cluster", action="store_true", help="on a Ray cluster as well")
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        kind, n_workers = arguments.alone
        found = _measured(kind, int(n_workers), arguments.videos, arguments.count)
        sys.stdout.write(json.dumps(found))
        return
    kinds = [("one process", 1), ("pool", 1), ("pool", 2)]
    kinds += [("Ray", 1), ("Ray", 2)] if arguments.cluster else []
    rows: dict[tuple[str, int], list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(arguments.repeats):
        for kind, n_workers in kinds:
            rows[kind, n_workers].append(_bound(kind, n_workers, arguments.videos, arguments.count))
            sys.stderr.write(f"{kind}, {n_workers}: {rows[kind, n_workers][-1]}\n")
    for (kind, n_workers), measured in rows.items():
        medians = {name: statistics.median(row[name] for row in measured) for name in measured[0]}
        rate = 3600 * arguments.count / medians["all_s"]
        sys.stdout.write(
            json.dumps({"fleet": kind, "workers": n_workers, **medians, "videos_an_hour": rate}) + "\n"
        )


def _bound(kind: str, n_workers: int, videos: Path, count: int) -> dict[str, float]:
    """As `_measured`, in a process that is bound to as many cores."""
    cores = ",".join(map(str, range(n_workers)))
    command = ["taskset", "-c", cores, sys.executable, "-m", "benchmarks.describing", str(videos)]
    command += ["--count", str(count), "--alone", kind, str(n_workers)]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - fixed, but for the folder
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
