"""Starting, watching and stopping the services: a file says what was started, and only that is stopped."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from dns_core.errors import CorruptArtefactError, DnsError
from dns_core.store.atomic import read_json, write_json
from dns_ops.http_probe import connection_problem
from dns_ops.platform.services import HOST, Service
from dns_ops.settings import make_platform_folder, platform_folder

# A busy machine is slow and a dead process is noticed at once, so patience costs nothing.
_HEALTHY_WITHIN_S = 600.0
_GRACE_S = 20.0
_PAUSE_S = 0.25
_LOG_LINES = 5


class ServiceError(DnsError):
    """A service cannot be started, or is not what it should be."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service is: ``running``, ``starting`` (not healthy yet), ``hung``, ``stopped`` or ``crashed``.

    A hung one was healthy and does not respond any more, or was stopped by a signal.
    """

    name: str
    state: str
    address: str
    pid: int


class Supervisor:
    """The services of one workspace.

    Args:
        root: the workspace.
        services: in the order in which they are started.
        say: is given one line for each thing that happens.
    """

    def __init__(self, root: Path, services: Sequence[Service], say: Callable[[str], object]) -> None:
        self._root = root
        self._services = services
        self._folder = platform_folder(root)
        self._say = say

    def up(self) -> None:
        """Every service runs and is healthy; if one does not come up, those started here are stopped again.

        Raises:
            ServiceError: a port is taken, a command failed or a service is not healthy in time.
        """
        make_platform_folder(self._root)
        started: list[Service] = []
        awaited: list[Service] = []
        try:
            for service in self._services:
                if self._state(service).state in ("running", "starting"):
                    self._say(f"{service.name}: runs already {service.address}".rstrip())
                    continue
                self._stop(service.name)  # what hangs, and what a killed one left behind
                if service.prepare:
                    self._await_health(awaited)
                self._start(service)
                started.append(service)
                awaited.append(service)
            self._await_health(awaited)
        except BaseException:
            for service in reversed(started):
                self._stop(service.name)
            raise

    def down(self) -> None:
        """No process that `up` started runs, nor any that it started in turn, even if settings changed."""
        stopped = False
        for name in self._recorded():
            if self._stop(name):
                stopped = True
                self._say(f"{name}: stopped")
        if not stopped:
            self._say("nothing was running")

    def states(self) -> Iterator[ServiceState]:
        """Yield how each service is."""
        return map(self._state, self._services)

    def _state(self, service: Service) -> ServiceState:
        process = self._process(service.name)
        if process is None:
            state = "crashed" if self._record(service.name).exists() else "stopped"
            return ServiceState(service.name, state, service.address, 0)
        if process.status() == psutil.STATUS_STOPPED:
            state = "hung"
        elif not self._unhealthy(service):
            state = "running"
        else:
            state = "hung" if read_json(self._record(service.name)).get("healthy") else "starting"
        return ServiceState(service.name, state, service.address, process.pid)

    def _start(self, service: Service) -> None:
        if service.port and _listening(service.port):
            raise ServiceError(f"{service.name}: port {service.port} of {HOST} is taken by another program")
        environment = {**os.environ, **service.environment}
        log = self._log(service)
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab", opener=_private) as file:
            for command in service.prepare:
                done = subprocess.run(  # noqa: S603
                    command, cwd=self._root, env=environment, stdin=subprocess.DEVNULL,
                    stdout=file, stderr=file, check=False,
                )  # fmt: skip
                if done.returncode != 0:
                    raise ServiceError(f"{service.name}: could not be prepared: {self._last_words(service)}")
            process = subprocess.Popen(  # noqa: S603
                service.command, cwd=self._root, env=environment, stdin=subprocess.DEVNULL,
                stdout=file, stderr=file, start_new_session=True,
                umask=0o077 if service.private else -1,
            )  # fmt: skip
        began = psutil.Process(process.pid).create_time()
        process.returncode = 0  # it is to outlive this process, and its object here should not mind
        write_json(self._record(service.name), {"pid": process.pid, "began": began})

    def _await_health(self, awaited: list[Service]) -> None:
        """Wait for each in turn, and take it off the list."""
        while awaited:
            self._await_one(awaited[0])
            service = awaited.pop(0)
            self._say(f"{service.name}: {service.address or 'runs'}")

    def _await_one(self, service: Service) -> None:
        deadline = time.monotonic() + _HEALTHY_WITHIN_S
        while problem := self._unhealthy(service):
            if self._process(service.name) is None:
                raise ServiceError(f"{service.name}: ended at once: {self._last_words(service)}")
            if time.monotonic() > deadline:
                raise ServiceError(f"{service.name}: not healthy after {_HEALTHY_WITHIN_S:.0f} s: {problem}")
            time.sleep(_PAUSE_S)
        record = self._record(service.name)
        write_json(record, {**read_json(record), "healthy": True})

    def _unhealthy(self, service: Service) -> str:
        return connection_problem(f"{service.address}{service.health}") if service.health else ""

    def _stop(self, name: str) -> bool:
        """Whether there was something to stop."""
        process, family = self._process(name), self._left_behind(name)
        if process is not None:
            family = [*_descendants(process), process, *family]
            _tell(process, psutil.Process.resume)  # one that was stopped by a signal hears of nothing else
            process.terminate()
            psutil.wait_procs([process], timeout=_GRACE_S)
        # What it leaves behind is its own, and is told too.
        for member in family:
            _tell(member, psutil.Process.terminate)
        _, alive = psutil.wait_procs(family, timeout=_GRACE_S)
        for member in alive:
            _tell(member, psutil.Process.kill)
        psutil.wait_procs(alive, timeout=_GRACE_S)
        self._record(name).unlink(missing_ok=True)
        return process is not None

    def _left_behind(self, name: str) -> list[psutil.Process]:
        """Processes of the session that a service was the leader of, when it has ended without them.

        Its id names no other session while one of them lives.
        """
        record = self._record(name)
        if not record.exists() or self._process(name) is not None:
            return []
        leader = read_json(record).get("pid")
        if psutil.pid_exists(leader) and psutil.Process(leader).status() != psutil.STATUS_ZOMBIE:
            return []  # another process has the id by now, and so none of the session is left
        return [process for process in psutil.process_iter() if _session(process) == leader]

    def _process(self, name: str) -> psutil.Process | None:
        """The process that `up` started for the service, if it still runs."""
        record = self._record(name)
        if not record.exists():
            return None
        try:
            content = read_json(record)
            process = psutil.Process(content["pid"])
            same = abs(process.create_time() - content["began"]) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None
        except (KeyError, TypeError) as error:
            raise CorruptArtefactError(f"{record} does not say which process it is of: {error!r}") from error

    def _record(self, name: str) -> Path:
        return self._folder / "services" / f"{name}.json"

    def _recorded(self) -> list[str]:
        """Names of the services that were started and not stopped, the latest first."""
        records = (self._folder / "services").glob("*.json")
        return [record.stem for record in sorted(records, key=lambda r: r.stat().st_mtime, reverse=True)]

    def _log(self, service: Service) -> Path:
        return self._folder / "logs" / f"{service.name}.log"

    def _last_words(self, service: Service) -> str:
        log = self._log(service)
        lines = log.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
        return (
            f"{' | '.join(line.strip() for line in lines[-_LOG_LINES:] if line.strip())} (all of it in {log})"
        )


def _private(path: str, flags: int) -> int:
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _listening(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex((HOST, port)) == 0


def _session(process: psutil.Process) -> int:
    try:
        return os.getsid(process.pid)
    except OSError:  # it has ended
        return 0


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _tell(process: psutil.Process, what: Callable[[psutil.Process], None]) -> None:
    try:
        what(process)
    except psutil.NoSuchProcess:
        return
