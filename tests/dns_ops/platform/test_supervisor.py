"""What was started is watched and stopped, and nothing else."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr

from dns_ops.platform import supervisord
from dns_ops.platform.services import Service, enabled_services
from dns_ops.platform.supervisor import ServiceState, Supervisor
from dns_ops.platform.supervisord import ServiceError
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


def killed(state: ServiceState) -> None:
    process = psutil.Process(state.pid)
    process.kill()
    psutil.wait_procs([process], timeout=30)


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def state_of(supervisor: Supervisor) -> ServiceState:
    (state,) = supervisor.states()
    return state


def test_a_killed_service_is_started_again_by_itself(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    supervisor = Supervisor(tmp_path, [service], said.append)
    supervisor.up()
    for _ in range(2):
        before = state_of(supervisor)
        killed(before)
        wait_for(lambda: state_of(supervisor).state == "running")
        assert state_of(supervisor).pid != before.pid
    supervisor.down()


def test_one_that_is_killed_after_it_ran_well_is_started_again_too(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it has run for a while, supervisord tries again in any case."""
    monkeypatch.setattr(supervisord, "_PROGRAM", supervisord._PROGRAM.replace("startsecs=20", "startsecs=0"))
    supervisor = Supervisor(tmp_path, [Service("sleeps", ("sleep", "100"))], said.append)
    supervisor.up()
    before = state_of(supervisor)
    killed(before)
    wait_for(lambda: state_of(supervisor).state == "running")
    assert state_of(supervisor).pid != before.pid
    supervisor.down()


BREAKS = """
import pathlib, sys, time
while not pathlib.Path("break").exists():
    time.sleep(0.05)
with open("started", "a") as file:
    print(time.time(), file=file)
sys.exit("no luck")
"""


def test_a_service_that_breaks_is_started_again_later_each_time(tmp_path: Path, said: list[str]) -> None:
    supervisor = Supervisor(tmp_path, [Service("breaks", (sys.executable, "-c", BREAKS))], said.append)
    supervisor.up()
    (tmp_path / "break").touch()
    started = tmp_path / "started"
    wait_for(lambda: started.exists() and len(started.read_text().splitlines()) >= 4)
    wait_for(lambda: state_of(supervisor).state == "crashed")
    supervisor.down()
    times = [float(line) for line in started.read_text().splitlines()]
    assert times[3] - times[2] > times[1] - times[0] + 0.5
    time.sleep(2)
    assert len(started.read_text().splitlines()) == len(times)


def daemon_of(root: Path) -> psutil.Process:
    return psutil.Process(int((root / ".platform" / "supervisord.pid").read_text()))


def test_services_are_found_and_stopped_if_supervisord_itself_was_killed(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    supervisor = Supervisor(tmp_path, [service], said.append)
    supervisor.up()
    pid = state_of(supervisor).pid
    daemon_of(tmp_path).kill()
    wait_for(lambda: state_of(supervisor).state == "crashed")
    supervisor.up()
    assert state_of(supervisor).state == "running"
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    supervisor.down()


def test_a_supervisord_that_hangs_is_replaced(
    tmp_path: Path, service: Service, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dns_ops.platform.supervisord._RPC_S", 0.5)
    supervisor = Supervisor(tmp_path, [service], said.append)
    supervisor.up()
    daemon_of(tmp_path).suspend()
    assert state_of(supervisor).state == "crashed"
    supervisor.up()
    assert state_of(supervisor).state == "running"
    supervisor.down()


def test_secrets_are_in_no_argument_and_in_private_files_alone(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    value = 'a "secret" of %(here)s\n; and more'
    supervisor = Supervisor(tmp_path, [replace(service, environment={"VALUE": value})], said.append)
    supervisor.up()
    process = psutil.Process(state_of(supervisor).pid)
    assert process.environ()["VALUE"] == value
    assert "secret" not in " ".join(process.cmdline())
    home = tmp_path / ".platform"
    told = (home, home / "services" / "server.json", home / "logs" / "server.log")
    assert [path.stat().st_mode & 0o777 for path in told] == [0o700, 0o600, 0o600]
    assert "secret" not in (home / "supervisord.conf").read_text()
    supervisor.down()


def test_two_that_start_services_at_once_start_each_once(
    tmp_path: Path, service: Service, said: list[str]
) -> None:
    supervisors = [Supervisor(tmp_path, [service], said.append) for _ in range(3)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(Supervisor.up, supervisors))
    again = f"server: runs already {service.address}"
    assert sorted(said) == [f"server: {service.address}", again, again]
    supervisors[0].down()


def test_a_path_that_is_too_long_for_a_socket_is_one_clear_error(tmp_path: Path, said: list[str]) -> None:
    root = tmp_path / ("long" * 25)
    root.mkdir()
    with pytest.raises(ServiceError, match="path is too long for a socket; expected at most 78 bytes"):
        Supervisor(root, [Service("idle", ("sleep", "100"))], said.append).up()


def test_stopping_harms_no_other_process(tmp_path: Path, said: list[str]) -> None:
    supervisor = Supervisor(tmp_path, [Service("idle", ("sleep", "100"))], said.append)
    supervisor.up()
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


def test_a_service_without_an_address_hangs_when_it_is_stopped_by_a_signal(
    tmp_path: Path, said: list[str]
) -> None:
    supervisor = Supervisor(tmp_path, [Service("worker", ("sleep", "100"))], said.append)
    supervisor.up()
    assert state_of(supervisor).state == "running"
    psutil.Process(state_of(supervisor).pid).suspend()
    assert state_of(supervisor).state == "hung"
    supervisor.down()


def test_children_of_a_killed_service_are_ended_before_it_is_started_again(
    tmp_path: Path, said: list[str]
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # As of MLflow: a child listens, and its parent only waits for it.
    child = ["-m", "http.server", "--bind", "127.0.0.1", str(port)]
    parent = f"import subprocess, sys; subprocess.run([sys.executable, *{child!r}], start_new_session=True)"
    server = Service("server", (sys.executable, "-c", parent), port=port, health="/")
    supervisor = Supervisor(tmp_path, [server], said.append)
    supervisor.up()
    state = state_of(supervisor)
    (left,) = psutil.Process(state.pid).children()
    killed(state)
    wait_for(lambda: not left.is_running() or left.status() == psutil.STATUS_ZOMBIE)
    wait_for(lambda: state_of(supervisor).state == "running")
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
