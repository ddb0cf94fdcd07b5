"""A run that is cancelled ends, whenever that is, and does not begin again: with a real server and worker."""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings
from prefect.states import Cancelled

from dns_ops.pipeline.workspace_lock import Holder, workspace_lock
from dns_ops.platform.password import make_password, read_password
from dns_ops.platform.services import enabled_services, flow_environment
from dns_ops.platform.supervisor import Supervisor
from dns_ops.settings import load_settings
from flows.records import WAITING, FlowRun
from flows.server import FlowServer

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    name: {"cmd": f"while ! test -e {name}.go; do sleep 0.2; done; cp {dep} {name}.txt", "deps": [dep],
           "outs": [f"{name}.txt"]}
    for name, dep in (("first", "given.txt"), ("second", "first.txt"))
}  # fmt: skip
PATIENCE_S = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace of two stages, each of which waits until a file lets it end."""
    root = tmp_path_factory.mktemp("cancelling")
    (root / "flows").symlink_to(ROOT / "flows", target_is_directory=True)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    shutil.copy(ROOT / "params.yaml", root / "params.yaml")
    content = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    content["deployments"] = [row for row in content["deployments"] if row["name"] == "reproduce"]
    (root / "prefect.yaml").write_text(yaml.safe_dump(content))
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[FlowServer]:
    """Prefect's server, with a worker."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
        trial.close()
        patch.setenv("DNS_PREFECT_PORT", str(port))
        patch.chdir(root)
        make_password(root)
        settings = load_settings(root)
        wanted = ("prefect", "worker-cpu")
        services = [row for row in enabled_services(root, settings) if row.name in wanted]
        supervisor = Supervisor(root, services, lambda _: None)
        supervisor.up()
        with temporary_settings({PREFECT_API_AUTH_STRING: read_password(root)}):
            yield FlowServer(flow_environment(root, settings)["PREFECT_API_URL"])
        supervisor.down()


@pytest.fixture
def started(root: Path, server: FlowServer) -> FlowRun:
    """A run that has just been asked for, in a workspace where every stage must run."""
    for path in root.glob("*.go"):
        path.unlink()
    (root / "dvc.lock").unlink(missing_ok=True)
    (root / "given.txt").write_text(str(time.time()))
    return server.start(server.deployments()[0].deployment_id, {})


def processes(run: FlowRun) -> list[psutil.Process]:
    """What the run started and still lives: every process inherits the name of its run."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("PREFECT__FLOW_RUN_ID") == run.run_id:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def state_of(server: FlowServer, run: FlowRun) -> str:
    return server.run(run.run_id).state


def cancelled_for_good(root: Path, server: FlowServer, run: FlowRun) -> None:
    """Once the run is shown as cancelled nothing of it is left, and nothing comes after."""
    server.cancel(run.run_id)
    wait_for(lambda: state_of(server, run) == "CANCELLED" and not processes(run))
    for name in STAGES:
        (root / f"{name}.go").touch()
    before = (root / "dvc.lock").read_bytes() if (root / "dvc.lock").exists() else b""
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        assert state_of(server, run) == "CANCELLED"
        assert not processes(run)
        time.sleep(0.2)
    assert ((root / "dvc.lock").read_bytes() if (root / "dvc.lock").exists() else b"") == before
    with workspace_lock(root):
        pass


def test_a_run_that_no_worker_has_taken(root: Path, server: FlowServer, started: FlowRun) -> None:
    cancelled_for_good(root, server, started)


def test_a_run_whose_process_is_about_to_begin(root: Path, server: FlowServer, started: FlowRun) -> None:
    wait_for(lambda: state_of(server, started) == "PENDING")
    cancelled_for_good(root, server, started)


def test_a_run_whose_process_has_just_begun(root: Path, server: FlowServer, started: FlowRun) -> None:
    wait_for(lambda: bool(processes(started)))
    cancelled_for_good(root, server, started)


def test_a_run_that_has_just_begun(root: Path, server: FlowServer, started: FlowRun) -> None:
    wait_for(lambda: state_of(server, started) == "RUNNING")
    cancelled_for_good(root, server, started)


@pytest.mark.parametrize("stage", ["first", "second"])
def test_a_run_in_each_of_its_stages(root: Path, server: FlowServer, started: FlowRun, stage: str) -> None:
    if stage == "second":
        (root / "first.go").touch()
    wait_for(lambda: any(f"{stage}.go" in " ".join(row.cmdline()) for row in alive(started)))
    cancelled_for_good(root, server, started)


def alive(run: FlowRun) -> list[psutil.Process]:
    return [process for process in processes(run) if process.is_running()]


def test_a_run_that_waits_says_for_whom_and_can_be_cancelled(
    root: Path, server: FlowServer, started: FlowRun
) -> None:
    with workspace_lock(root, holder=Holder("the run brave-cat of evaluate", "id of it")):
        wait_for(lambda: server.run(started.run_id).state_name == WAITING)
        message = server.run(started.run_id).message
        assert f"the run brave-cat of evaluate (process {os.getpid()}) works in" in message
        server.cancel(started.run_id)
        wait_for(lambda: state_of(server, started) == "CANCELLED")
        assert not processes(started)


def test_a_run_that_waited_goes_on(root: Path, server: FlowServer, started: FlowRun) -> None:
    with workspace_lock(root):
        wait_for(lambda: server.run(started.run_id).state_name == WAITING)
    wait_for(lambda: server.run(started.run_id).state_name == "Running")
    for name in STAGES:
        (root / f"{name}.go").touch()
    wait_for(lambda: state_of(server, started) == "COMPLETED")


def test_a_cancellation_that_the_worker_did_not_hear_is_kept(
    root: Path, server: FlowServer, started: FlowRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it falls between the worker's taking the run and its having a process to stop."""
    monkeypatch.setattr("flows.server.Cancelling", lambda: Cancelled(name="Unheard"))
    wait_for(lambda: state_of(server, started) == "PENDING")
    server.cancel(started.run_id)
    wait_for(lambda: server.run(started.run_id).message == "cancelled before it began")
    wait_for(lambda: not processes(started))
    assert state_of(server, started) == "CANCELLED"
    assert not (root / "dvc.lock").exists()
