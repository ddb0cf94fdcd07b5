"""What is killed at each third of the work on a cluster: the index is that of one process, bit for bit."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from benchmarks.ray_machines import RayMachines, free_port
from dns_core.fleet import Card, Fleet, LocalFleet, Place, Task, Work
from dns_core.index import Manifest
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_ops.fleet.connection import cluster_environment, open_cluster
from tests.oracles.archive import N_GOOD, write_archive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install '.[cluster]'"),
]

THIRDS = [N_GOOD // 3, 2 * N_GOOD // 3]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def alone(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return index_videos(videos, tmp_path_factory.mktemp("alone") / "index", Bundle.load(SHIPPED_MODELS))


@dataclass
class Interrupted:
    """A fleet during whose work something happens, once, after some cards."""

    fleet: Fleet
    at: int
    happens: Callable[[], object]
    decoded: int = 0

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        for number, card in enumerate(self.fleet.run(work, tasks), start=1):
            self.decoded += bool(card.facts.get("decoded"))
            yield card
            if number == self.at:
                self.happens()


def workers(machines: RayMachines) -> list[psutil.Process]:
    """Processes that describe on the machines."""
    roots = [psutil.Process(one.pid) for one in machines.running if one.poll() is None]
    children = [child for root in roots for child in root.children(recursive=True)]
    return [child for child in children if is_worker(child)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return process.cmdline()[:1] == ["ray::Hand"] or "ray::Hand" in process.cmdline()[0]
    except (psutil.Error, IndexError):
        return False


@pytest.mark.parametrize("at", THIRDS)
def test_a_worker_is_killed(
    machines: RayMachines, videos: Path, alone: Manifest, tmp_path: Path, at: int
) -> None:
    killed: list[psutil.Process] = []

    def kill() -> None:
        killed.append(workers(machines)[0])
        killed[0].kill()

    fleet = Interrupted(open_cluster(machines.address, Place()), at, kill)
    manifest = index_videos(videos, tmp_path / "index", Bundle.load(SHIPPED_MODELS), fleet=fleet)
    assert killed
    assert manifest.shards[0].files == alone.shards[0].files
    assert manifest.quarantine == ()


@pytest.mark.parametrize("at", THIRDS)
def test_a_machine_is_killed(
    machines: RayMachines, videos: Path, alone: Manifest, tmp_path: Path, at: int
) -> None:
    second = machines.running[-1]
    fleet = Interrupted(open_cluster(machines.address, Place()), at, lambda: machines.kill(second))
    manifest = index_videos(videos, tmp_path / "index", Bundle.load(SHIPPED_MODELS), fleet=fleet)
    assert manifest.shards[0].files == alone.shards[0].files
    assert manifest.quarantine == ()
    machines.join()
    machines.await_nodes(2)


def build(videos: Path, workspace: Path, machines: RayMachines) -> "subprocess.Popen[bytes]":
    """`dns index build` on the cluster, from a workspace that has its token."""
    folder = workspace / ".platform"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "ray-token").write_text((machines.home / "ray-token").read_text())
    program = "from dns_apps.cli.main import main; main()"
    out = ["--out", str(workspace / "index"), "--models", str(SHIPPED_MODELS)]
    command = [sys.executable, "-c", program, "index", "build", "--videos", str(videos), *out]
    environment = {**os.environ, "DNS_CLUSTER": machines.address.text, "DNS_TRACKING_URI": "off"}
    environment.pop("RAY_AUTH_TOKEN_PATH", None)
    return subprocess.Popen(command, env=environment, cwd=workspace)


def n_records(workspace: Path) -> int:
    return len(list((workspace / "index").glob("pending/*/[!.]*.npz")))


def await_records(workspace: Path, n_wanted: int, driver: "subprocess.Popen[bytes]") -> None:
    while n_records(workspace) < n_wanted:
        assert driver.poll() is None, "the build ended before anything was killed"
        time.sleep(0.02)


def finished_elsewhere(videos: Path, workspace: Path, alone: Manifest) -> None:
    """Another process describes what is missing and nothing else."""
    n_kept = n_records(workspace)
    fleet = Interrupted(LocalFleet(), -1, lambda: None)
    manifest = index_videos(videos, workspace / "index", Bundle.load(SHIPPED_MODELS), fleet=fleet)
    assert manifest.shards[0].files == alone.shards[0].files
    assert fleet.decoded == N_GOOD - n_kept


@pytest.mark.parametrize("at", THIRDS)
def test_the_driver_is_killed(
    machines: RayMachines, videos: Path, alone: Manifest, tmp_path: Path, at: int
) -> None:
    driver = build(videos, tmp_path, machines)
    await_records(tmp_path, at, driver)
    driver.send_signal(signal.SIGKILL)
    driver.wait(10)
    end = time.monotonic() + 60
    while workers(machines):  # they end with their driver, after what they are at
        assert time.monotonic() < end, workers(machines)
        time.sleep(0.1)
    assert at <= n_records(tmp_path) < N_GOOD
    finished_elsewhere(videos, tmp_path, alone)


@pytest.fixture
def head(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayMachines]:
    """A cluster of a head alone, whose loss is noticed within seconds."""
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "5")
    home = tmp_path / "head"
    home.mkdir()
    cluster_environment(home)  # makes the token
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    found = RayMachines(home, free_port())
    found.start_head()
    yield found
    for machine in found.running:
        found.kill(machine)


@pytest.mark.parametrize("at", THIRDS)
def test_the_head_is_killed(
    head: RayMachines, videos: Path, alone: Manifest, tmp_path: Path, at: int
) -> None:
    driver = build(videos, tmp_path, head)
    await_records(tmp_path, at, driver)
    head.kill(head.running[0])
    assert driver.wait(120) != 0
    finished_elsewhere(videos, tmp_path, alone)
