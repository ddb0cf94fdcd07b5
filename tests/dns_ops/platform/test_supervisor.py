"""What was started is watched and stopped, and nothing else."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from dns_ops.platform.services import Service, enabled_services
from dns_ops.platform.supervisor import ServiceError, Supervisor
from dns_ops.settings import Settings

DATABASE = "postgresql+asyncpg://me:secret@db/p"

# A server with a child of its own, as workers have.
SERVER = """
import subprocess, sys
from http.server import HTTPServer, SimpleHTTPRequestHandler
subprocess.Popen(["sleep", "100"])
HTTPServer(("127.0.0.1", int(sys.argv[1])), SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.fixture
def service() -> Service:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Service("server", (sys.executable, "-c", SERVER, str(port)), port=port, health="/")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    left = set(psutil.Process().children(recursive=True)) - before
    assert [p for p in left if p.status() != psutil.STATUS_ZOMBIE] == []


def test_up_waits_for_health_and_down_leaves_no_process(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    supervisor = Supervisor(tmp_path, [service], said.append)
    assert [state.state for state in supervisor.states()] == ["stopped"]
    supervisor.up()
    (state,) = supervisor.states()
    assert (state.state, state.address) == ("running", service.address)
    family = [psutil.Process(state.pid), *psutil.Process(state.pid).children(recursive=True)]
    assert len(family) == 2
    # Another process of the command line sees the same, and starts nothing twice.
    Supervisor(tmp_path, [service], said.append).up()
    Supervisor(tmp_path, [service], said.append).down()
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert said == [
        f"server: {service.address}",
        f"server: runs already {service.address}",
        "server: stopped",
    ]


def test_down_stops_what_was_started_under_other_settings(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    supervisor = Supervisor(tmp_path, [service], said.append)
    supervisor.up()
    (state,) = supervisor.states()
    Supervisor(tmp_path, [], said.append).down()
    assert not psutil.pid_exists(state.pid) or psutil.Process(state.pid).status() == psutil.STATUS_ZOMBIE
    supervisor.down()
    assert said[1:] == ["server: stopped", "nothing was running"]


def test_a_taken_port_is_an_error_that_stops_what_was_started(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = replace(service, name="second", port=other.getsockname()[1])
        supervisor = Supervisor(tmp_path, [service, taken], said.append)
        with pytest.raises(ServiceError, match=f"port {taken.port} .*is taken"):
            supervisor.up()
    assert [state.state for state in supervisor.states()] == ["stopped", "stopped"]


def test_a_service_that_ends_is_an_error_with_its_last_words(tmp_path: Path, said: list[str]) -> None:
    failing = Service("failing", (sys.executable, "-c", "print('no luck')"), port=9, health="/")
    with pytest.raises(ServiceError, match="failing: ended at once: no luck"):
        Supervisor(tmp_path, [failing], said.append).up()
    unprepared = Service("unprepared", ("true",), prepare=(("sh", "-c", "echo unready; exit 1"),))
    with pytest.raises(ServiceError, match="could not be prepared: unready"):
        Supervisor(tmp_path, [unprepared], said.append).up()


def test_what_is_to_be_prepared_finds_those_before_it_healthy(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    ask = f"import urllib.request; urllib.request.urlopen({service.address + service.health!r})"
    second = Service("second", ("sleep", "100"), prepare=((sys.executable, "-c", ask),))
    supervisor = Supervisor(tmp_path, [service, second], said.append)
    supervisor.up()
    supervisor.down()
    assert said[:2] == [f"server: {service.address}", "second: runs"]


def test_a_killed_service_is_seen_as_crashed_and_another_process_is_left_alone(
    tmp_path: Path, said: list[str]
) -> None:
    idle = Service("idle", ("sleep", "100"))
    supervisor = Supervisor(tmp_path, [idle], said.append)
    supervisor.up()
    (state,) = supervisor.states()
    killed = psutil.Process(state.pid)
    killed.kill()
    killed.wait()
    assert [state.state for state in supervisor.states()] == ["crashed"]
    bystander = subprocess.Popen(["sleep", "100"])
    try:
        supervisor.down()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_service_that_is_stopped_by_a_signal_hangs_and_is_started_again(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    supervisor = Supervisor(tmp_path, [service], said.append)
    supervisor.up()
    (state,) = supervisor.states()
    psutil.Process(state.pid).suspend()
    assert [state.state for state in supervisor.states()] == ["hung"]
    supervisor.up()
    (restarted,) = supervisor.states()
    assert (restarted.state, restarted.pid != state.pid) == ("running", True)
    supervisor.down()


def test_children_of_a_killed_service_are_ended_before_it_is_started_again(
    tmp_path: Path, said: list[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # As of MLflow: a child listens, and its parent only waits for it.
    child = ["-m", "http.server", "--bind", "127.0.0.1", str(port)]
    parent = f"import subprocess, sys; subprocess.run([sys.executable, *{child!r}])"
    server = Service("server", (sys.executable, "-c", parent), port=port, health="/")
    supervisor = Supervisor(tmp_path, [server], said.append)
    supervisor.up()
    (state,) = supervisor.states()
    killed = psutil.Process(state.pid)
    (left,) = killed.children()
    killed.kill()
    killed.wait()
    assert [state.state for state in supervisor.states()] == ["crashed"]
    assert left.is_running()
    supervisor.up()
    assert not left.is_running() or left.status() == psutil.STATUS_ZOMBIE
    assert [state.state for state in supervisor.states()] == ["running"]
    supervisor.down()


def test_what_services_write_is_the_users_alone(tmp_path: Path, said: list[str]) -> None:
    write = "import pathlib, time; pathlib.Path('{}').touch(); print('begun', flush=True); time.sleep(100)"
    private = Service("private", (sys.executable, "-c", write.format("state")))
    worker = Service("worker", (sys.executable, "-c", write.format("artefact")), private=False)
    (tmp_path / ".platform").mkdir(mode=0o755)
    supervisor = Supervisor(tmp_path, [private, worker], said.append)
    supervisor.up()
    log = tmp_path / ".platform" / "logs" / "private.log"
    deadline = time.monotonic() + 30
    while not ((tmp_path / "state").exists() and (tmp_path / "artefact").exists()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    supervisor.down()
    modes = {path: path.stat().st_mode & 0o777 for path in (log, log.parent.parent, tmp_path / "state")}
    assert list(modes.values()) == [0o600, 0o700, 0o600]
    assert (tmp_path / "artefact").stat().st_mode & 0o044 == 0o044


def test_the_platform_serves_its_own_store_unless_another_is_named(tmp_path: Path) -> None:
    def names(settings: Settings) -> list[str]:
        return [service.name for service in enabled_services(tmp_path, settings)]

    without = ["prefect", "query", "dashboard", "worker-cpu"]
    assert names(Settings()) == ["prefect", "mlflow", *without[1:]]
    assert names(Settings(tracking_uri="http://elsewhere:5000")) == without
    assert names(Settings(tracking_uri="off")) == without
    prefect = enabled_services(tmp_path, Settings(prefect_database_url=SecretStr(DATABASE)))[0]
    assert prefect.environment["PREFECT_API_DATABASE_CONNECTION_URL"].endswith("secret@db/p")
    assert "secret" not in " ".join(prefect.command)
    assert "secret" not in repr(Settings(prefect_database_url=SecretStr(DATABASE)))
