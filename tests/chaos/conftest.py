"""Faults on purpose, seeded: in `make test` some of each kind, in `make chaos` many, counted at the end."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceError
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_core.video.encode import write_video
from tests.e2e.conftest import data, finished  # noqa: F401 - fixtures
from tests.e2e.test_releases import released  # noqa: F401 - a fixture
from tests.factories import noise_footage

LONG = os.environ.get("DNS_CHAOS") == "long"
SEED = int(os.environ.get("DNS_CHAOS_SEED", "24"))
FPS = 8.0
ROOT = Path(__file__).parents[2]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the kinds of fault, how often each was tried, what was lost, and how long it took to recover."""
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for report in (*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())):
        for name, value in report.user_properties if report.when == "call" else ():
            if name == "fault":
                kinds[value["kind"]].append(value)
    if not kinds:
        return
    terminalreporter.section("faults")
    for kind, rows in sorted(kinds.items()):
        times = [row["recovered_s"] for row in rows if row["recovered_s"] is not None]
        took = f"{np.median(times):.1f} s, at most {max(times):.1f} s" if times else "-"
        lost = sum(row["lost"] for row in rows)
        terminalreporter.line(f"{kind:44} {len(rows):5} runs  {lost:3} lost  recovered in {took}")
    total = sum(map(len, kinds.values()))
    terminalreporter.line(f"{len(kinds)} kinds of fault, {total} runs, seed {SEED}")


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Counts one fault: its kind, what was lost by it, and how long it took until all was well."""

    def noted(kind: str, *, lost: int = 0, recovered_s: float | None = None) -> None:
        record_property("fault", {"kind": kind, "lost": lost, "recovered_s": recovered_s})
        assert lost == 0

    return noted


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """The same numbers each time, other ones in each test."""
    return random.Random(f"{SEED} {request.node.name}")  # noqa: S311 - no secret


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes a file system of so many bytes."""
    mounted: list[Path] = []

    def mount(n_bytes: int) -> Path:
        root = tmp_path / f"disk-{len(mounted)}"
        root.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(root)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("this user may mount no file system")
        mounted.append(root)
        return root

    yield mount
    for root in mounted:
        subprocess.run(["umount", "--lazy", str(root)], check=True)


def fill(root: Path, leave: int = 0) -> Path:
    """The file that takes all room but ``leave`` bytes."""
    filler = root / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(size))
    os.truncate(filler, max(0, filler.stat().st_size - leave))
    return filler


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    code: int
    said: str
    complaint: str


@pytest.fixture
def broken() -> Callable[..., Done]:
    """Runs a program in a folder with a fault: see `tests/chaos/faults.py`."""

    def run(cwd: Path, fault: str, at: int, *command: object, **variables: str) -> Done:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests/chaos/faults.py"), fault, str(at), *map(str, command)],
            cwd=cwd, env=environment | {"PYTHONPATH": str(ROOT)} | variables, capture_output=True, text=True,
            timeout=280, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three films."""
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(("harbour.mp4", "market.mp4", "night.mp4")):
        write_video(folder / name, noise_footage(seed), FPS)
    return folder


@pytest.fixture(scope="session")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of the market."""
    path = tmp_path_factory.mktemp("queries") / "excerpt.mp4"
    write_video(path, noise_footage(1)[32:72], FPS, crf=30)
    return path


@pytest.fixture(scope="session")
def built(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Their index, made by the shipped models; tests must not change it."""
    index = tmp_path_factory.mktemp("built") / "index"
    index_videos(videos, index, Bundle.load(SHIPPED_MODELS))
    return index


@dataclass
class Served:
    """A query service in a process of its own."""

    url: str
    process: psutil.Popen
    log: Path

    def client(self, timeout_s: float = 60) -> Client:
        """A client of it."""
        return Client(self.url, timeout_s=timeout_s)

    @property
    def said(self) -> str:
        """What it wrote to its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_ready(self) -> float:
        """Seconds until it is ready."""
        began_s = time.monotonic()
        while time.monotonic() < began_s + 120:
            assert self.process.poll() is None, self.said[-2000:]
            with suppress(ServiceError), self.client(5) as client:
                if client.readiness().ready:
                    return time.monotonic() - began_s
            time.sleep(0.1)
        raise AssertionError(self.said[-2000:])


@pytest.fixture(scope="session")
def serve(built: Path, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Starts a query service over a workspace; it is killed when the block ends."""

    @contextmanager
    def started(root: Path, **variables: object) -> Iterator[Served]:
        root.mkdir(exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        named = {"index": built, "videos": videos, "port": port, **variables}
        settings = {
            f"DNS_SERVE_{name}".upper(): str(value) for name, value in named.items() if name.islower()
        }
        settings |= {name: str(value) for name, value in variables.items() if name.isupper()}
        log = tmp_path_factory.mktemp("log") / "service.log"
        with log.open("ab") as file:
            process = psutil.Popen(
                [sys.executable, "-m", "dns_apps.service"], cwd=root, stdout=file, stderr=file,
                env=os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"} | settings,
            )  # fmt: skip
        family = [process]
        try:
            one = Served(f"http://127.0.0.1:{port}", process, log)
            one.await_ready()
            family += process.children(recursive=True)
            yield one
        finally:
            for member in (*family, *(process.children(recursive=True) if process.is_running() else ())):
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            process.wait()

    return started


def copied(source: Path, target: Path) -> Path:
    """A copy that a test may change."""
    shutil.copytree(source, target, symlinks=True)
    return target


def scores(said: str) -> list[tuple[str, float]]:
    """Videos and scores of what ``dns query --json`` printed."""
    return [(row["video"], row["score"]) for row in json.loads(said)["results"]]
