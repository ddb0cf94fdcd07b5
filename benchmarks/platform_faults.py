"""The whole platform under load: each service is killed once, the disk filled once, the index reloaded.

    python -m benchmarks.platform_faults --workspace DEMO --out faults.json

``dns up`` runs in a small file system of its own (to mount it takes root) with a copy of a finished
workspace. Clients upload an excerpt, one query after the other; a client whose query fails waits until the
service is ready. Written are the failed queries by fault and reason, seconds until all was well again after
each fault, and memory and open files of each service before and after.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.service_load import cut_excerpt
from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceError
from dns_apps.service.schemas import QueryOptions
from dns_core.index import open_index, remove_videos
from dns_core.store.atomic import write_json
from dns_ops.platform.services import enabled_services
from dns_ops.platform.supervisor import ServiceState, Supervisor
from dns_ops.settings import load_settings

_PORTS = ("DNS_PREFECT_PORT", "DNS_MLFLOW_PORT", "DNS_SERVE_PORT", "DNS_DASHBOARD_PORT")
_DISK_BYTES = 512 << 20
_FULL_FOR_S = 5.0
_PATIENCE_S = 180.0


@dataclass
class Seen:
    """What clients saw: ``failures`` by fault and reason. ``fault`` is at work; if empty, all is well."""

    answered: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    recovered_s: dict[str, float] = field(default_factory=dict)
    fault: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Platform:
    """``dns up`` in a workspace, on free ports.

    Args:
        root: the workspace.
        disk: the file system that it lies on.
    """

    def __init__(self, root: Path, disk: Path) -> None:
        self.root = root
        self.disk = disk
        self._settings = load_settings(root)
        self._supervisor = Supervisor(root, enabled_services(root, self._settings), lambda _: None)

    @property
    def url(self) -> str:
        """Of the query service."""
        return f"http://127.0.0.1:{self._settings.serve.port}"

    def states(self) -> dict[str, ServiceState]:
        """Of the services, by name."""
        return {state.name: state for state in self._supervisor.states()}

    def kill(self, name: str) -> None:
        """End a service's first process at once, and wait until another one is healthy."""
        pid = self.states()[name].pid
        os.kill(pid, 9)
        _until(lambda: (now := self.states()[name]).state == "running" and now.pid != pid)

    def fill(self) -> None:
        """Take all room of the disk for some seconds."""
        filler = self.disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 20))
        time.sleep(_FULL_FOR_S)
        filler.unlink()

    def reload(self) -> None:
        """Publish a version of the index, and have it served."""
        index = self.root / "artifacts" / "index"
        remove_videos(index, [open_index(index).ids[-1]])
        with Client(self.url, timeout_s=120) as client:
            client.reload_index()

    def use(self) -> dict[str, dict[str, float]]:
        """Resident memory and open files of each service with its children."""
        used = {}
        for name, state in self.states().items():
            first = psutil.Process(state.pid)
            family = [first, *first.children(recursive=True)]
            memory = sum(member.memory_info().rss for member in family) / 2**20
            used[name] = {"memory_mb": round(memory), "open_files": sum(one.num_fds() for one in family)}
        return used


def main() -> None:
    """Measure, and write the figures."""
    options = _options()
    with _disk() as disk, _up(options.workspace.resolve(), disk) as platform:
        clip = platform.root / "excerpt.mp4"
        database = platform.root / "data" / "test" / "database"
        cut_excerpt(database, open_index(platform.root / "artifacts" / "index").ids, clip, options.seconds)
        seen = Seen()
        for _ in range(options.clients):
            _ask(platform, clip, seen)
        seen, before, began_s = Seen(), platform.use(), time.perf_counter()
        _drive(platform, clip, seen, options)
        took_s = time.perf_counter() - began_s
        figures = {
            "cores": len(os.sched_getaffinity(0)), "clients": options.clients, "excerpt_s": options.seconds,
            "queries": options.queries, "answered": seen.answered, "took_s": round(took_s, 1),
            "failures": dict(seen.failures), "recovered_s": seen.recovered_s,
            "before": before, "after": platform.use(),
        }  # fmt: skip
    write_json(options.out, figures)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def _options() -> Any:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--workspace", type=Path, default=Path())
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--queries", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the excerpt")
    parser.add_argument("--out", type=Path, default=Path("artifacts/platform_faults.json"))
    return parser.parse_args()


def _drive(platform: Platform, clip: Path, seen: Seen, options: Any) -> None:
    """Ask all queries, and bring about each fault when its share of them is done."""
    faults: dict[str, Callable[[], None]] = {
        f"kill {name}": partial(platform.kill, name) for name in platform.states()
    }
    faults |= {"full disk": platform.fill, "reload": platform.reload}
    left = iter(range(options.queries))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            _ask(platform, clip, seen)

    clients = [threading.Thread(target=work) for _ in range(options.clients)]
    for client in clients:
        client.start()
    for number, (name, act) in enumerate(faults.items(), start=1):
        _until(partial(_are_done, seen, number * options.queries // (len(faults) + 1)))
        seen.fault, began_s = name, time.perf_counter()
        act()
        _await_answer(platform, clip)
        held_s = _FULL_FOR_S if name == "full disk" else 0.0
        seen.recovered_s[name] = round(time.perf_counter() - began_s - held_s, 1)
        seen.fault = ""
        sys.stderr.write(f"{name}: well again after {seen.recovered_s[name]} s\n")
    for client in clients:
        client.join()


def _are_done(seen: Seen, n: int) -> bool:
    with seen.lock:
        return seen.answered + seen.failures.total() >= n


def _ask(platform: Platform, clip: Path, seen: Seen) -> None:
    """One query; after a failure, wait until the service is ready for the next."""
    fault, problem = seen.fault, ""
    try:
        with Client(platform.url, timeout_s=60) as client:
            query = client.query_file(clip, QueryOptions(budget="0.3"), wait_s=60)
            problem = "" if query.answer else str(query.problem.detail if query.problem else query.state)
    except ServiceError as error:
        problem = f"{type(error).__name__}: {str(error)[:80]}"
    with seen.lock:
        seen.answered += not problem
        if problem:
            seen.failures[f"{seen.fault or fault or 'no fault'}: {problem}"] += 1
    if problem:
        _await_ready(platform)


def _await_ready(platform: Platform) -> None:
    def ready() -> bool:
        with suppress(ServiceError), Client(platform.url, timeout_s=5) as client:
            return client.readiness().ready and not client.readiness().limited
        return False

    _until(ready)


def _await_answer(platform: Platform, clip: Path) -> None:
    def answered() -> bool:
        with suppress(ServiceError), Client(platform.url, timeout_s=60) as client:
            return client.query_file(clip, wait_s=60).answer is not None
        return False

    _until(answered)


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"not well after {_PATIENCE_S:g} s")
        time.sleep(0.2)


@contextmanager
def _disk() -> Iterator[Path]:
    """A file system of some hundred MB."""
    with tempfile.TemporaryDirectory() as folder:
        mount = ("mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", folder)
        subprocess.run(mount, check=True)  # noqa: S603 - our own words
        try:
            yield Path(folder)
        finally:
            subprocess.run(("umount", "--lazy", folder), check=True)  # noqa: S603, S607 - as above


@contextmanager
def _up(workspace: Path, disk: Path) -> Iterator[Platform]:
    root = disk / "workspace"
    for part in ("artifacts/index", "artifacts/models", "data/test/database", "flows"):
        shutil.copytree(workspace / part, root / part)
    for name in ("params.yaml", "dvc.yaml", "prefect.yaml"):
        shutil.copy(workspace / name, root)
    for name in _PORTS:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            os.environ[name] = str(free.getsockname()[1])
    dns = (sys.executable, "-c", "from dns_apps.cli.main import main; main()")
    subprocess.run((*dns, "up"), cwd=root, check=True, stdout=sys.stderr)  # noqa: S603 - our own
    try:
        yield Platform(root, disk)
    finally:
        subprocess.run((*dns, "down"), cwd=root, check=True, stdout=sys.stderr)  # noqa: S603 - our own


if __name__ == "__main__":
    main()
