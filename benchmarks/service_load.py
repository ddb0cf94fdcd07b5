"""The query service under load: eight clients upload an excerpt, and in the middle the index is reloaded.

    python benchmarks/service_load.py --index artifacts/index --videos data/test/database --out load.json

A copy of the index is served by a process of its own. Written are seconds from the first byte sent to the
answer, errors of any kind, versions that answered, and the resident memory of the service with its decoders,
along the way.
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import QueryOptions
from dns_core.index import open_index, remove_videos
from dns_core.store.atomic import write_json
from dns_core.video import read_clip, write_video

_WARMING = 20
_ALONE = 20
_SAMPLES = 20
_READY_WITHIN_S = 300.0
_KEPT = 50


@dataclass
class Load:
    """What the clients saw; ``memory_mb`` at even shares of the queries."""

    seconds: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    versions: Counter[int] = field(default_factory=Counter)
    memory_mb: list[float] = field(default_factory=list)
    reload_s: float = 0.0


def main() -> None:
    """Measure, and write the figures."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        shutil.copytree(options.index, workspace / "index")
        clip = workspace / "excerpt.mp4"
        cut_excerpt(options.videos, open_index(options.index).ids, clip, options.seconds)
        with _service(workspace, options) as (url, process):
            figures = _measured(url, process, workspace, clip, options)
        kept = sorted((workspace / ".platform/service/scratch").iterdir())
        queries = sorted((workspace / ".platform/service/queries").iterdir())
    figures |= {"scratch_files_left": len(kept), "query_files_kept": len(queries), "queries_to_keep": _KEPT}
    write_json(options.out, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _options() -> Any:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--index", type=Path, default=Path("artifacts/index"))
    parser.add_argument("--models", type=Path, default=Path("artifacts/models"))
    parser.add_argument("--videos", type=Path, default=Path("data/test/database"))
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the excerpt")
    parser.add_argument("--budget", default="0.3")
    parser.add_argument("--out", type=Path, default=Path("artifacts/service_load.json"))
    return parser.parse_args()


def _measured(url: str, process: psutil.Process, workspace: Path, clip: Path, options: Any) -> dict[str, Any]:
    asked = QueryOptions(budget=options.budget)
    alone = Load()
    with Client(url) as client:
        for _ in range(_WARMING):
            client.query_file(clip, asked, wait_s=60)
        for _ in range(_ALONE):
            _ask(client, clip, asked, alone)
    load = Load()
    began_s = time.perf_counter()
    _drive(clip, asked, load, _Watch(process, workspace, url, options.queries), options.clients)
    took_s = time.perf_counter() - began_s
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load_average": os.getloadavg()[0],
        "excerpt_s": options.seconds,
        "budget": options.budget,
        "alone_s": _percentiles(alone.seconds),
        "clients": options.clients,
        "queries": options.queries,
        "under_load_s": _percentiles(load.seconds),
        "queries_a_second": len(load.seconds) / took_s,
        "errors": dict(load.errors),
        "answered_by_version": {str(version): n for version, n in sorted(load.versions.items())},
        "reload_s": load.reload_s,
        "memory_mb": load.memory_mb,
    }


@dataclass(frozen=True)
class _Watch:
    process: psutil.Process
    workspace: Path
    url: str
    n_queries: int

    def after(self, n_done: int, load: Load) -> None:
        """Sample memory now and then; publish a version of the index when half is done."""
        if n_done % max(1, self.n_queries // _SAMPLES) == 0:
            load.memory_mb.append(round(_resident_mb(self.process), 1))
        if n_done == self.n_queries // 2:
            remove_videos(self.workspace / "index", [open_index(self.workspace / "index").ids[-1]])
            began_s = time.perf_counter()
            with Client(self.url, timeout_s=120) as client:
                client.reload_index()
            load.reload_s = time.perf_counter() - began_s


def _drive(clip: Path, asked: QueryOptions, load: Load, watch: _Watch, n_clients: int) -> None:
    lock, left = threading.Lock(), iter(range(1, watch.n_queries + 1))

    def work() -> None:
        with Client(watch.url, timeout_s=120) as client:
            while True:
                with lock:
                    number = next(left, None)
                if number is None:
                    return
                _ask(client, clip, asked, load)
                watch.after(number, load)

    threads = [threading.Thread(target=work) for _ in range(n_clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ask(client: Client, clip: Path, asked: QueryOptions, load: Load) -> None:
    began_s = time.perf_counter()
    try:
        query = client.query_file(clip, asked, wait_s=60)
    except ServiceError as error:
        load.errors[f"{type(error).__name__}: {error}"] += 1
        return
    load.seconds.append(time.perf_counter() - began_s)
    if query.answer is None:
        load.errors[f"state {query.state}"] += 1
    else:
        load.versions[query.answer.index_version] += 1


def cut_excerpt(videos: Path, ids: Sequence[str], clip: Path, seconds: float) -> None:
    """Write an excerpt of the first indexed video that is long enough, encoded again."""
    for video_id in sorted(ids):
        source = read_clip(videos / video_id)
        n_frames = round(seconds * source.fps)
        if source.n_frames >= n_frames:
            first = (source.n_frames - n_frames) // 2
            write_video(clip, source.frames[first : first + n_frames], source.fps, crf=28)
            return
    raise SystemExit(f"{videos}: no indexed video lasts {seconds:g} s")


@contextmanager
def _service(workspace: Path, options: Any) -> Iterator[tuple[str, psutil.Process]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "DNS_SERVE_PORT": str(port),
        "DNS_SERVE_INDEX": "index",
        "DNS_SERVE_MODELS": str(options.models.resolve()),
        "DNS_SERVE_VIDEOS": str(options.videos.resolve()),
        "DNS_SERVE_KEEP_QUERIES": str(_KEPT),
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }
    command = [sys.executable, "-m", "dns_apps.service"]
    service = subprocess.Popen(command, cwd=workspace, env=environment)  # noqa: S603 - our own
    try:
        url = f"http://127.0.0.1:{port}"
        _await_ready(url, service)
        yield url, psutil.Process(service.pid)
    finally:
        service.terminate()
        service.wait()


def _await_ready(url: str, service: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    with Client(url) as client:
        while service.poll() is None and time.monotonic() < deadline:
            with suppress(ServiceError):  # it does not listen yet
                if client.readiness().ready:
                    return
            time.sleep(0.2)
        detail = client.readiness().detail if service.poll() is None else "it ended"
    raise SystemExit(f"the service did not become ready: {detail}")


def _resident_mb(process: psutil.Process) -> float:
    family = [process, *process.children(recursive=True)]
    return float(sum(member.memory_info().rss for member in family)) / 2**20


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 50, "p95": 95, "p99": 99, "max": 100}
    return {name: round(float(np.percentile(seconds, share)), 4) for name, share in shares.items()}


if __name__ == "__main__":
    main()
