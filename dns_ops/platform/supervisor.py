"""Starting, watching and stopping the services; supervisord keeps them running meanwhile."""

import fcntl
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from dns_ops.http_probe import connection_problem
from dns_ops.platform.services import HOST, Service
from dns_ops.platform.supervisord import ServiceError, Supervisord
from dns_ops.settings import make_platform_folder, make_private_file, platform_folder

# A busy machine is slow and a dead process is noticed at once, so patience costs nothing.
_HEALTHY_WITHIN_S = 600.0
_PAUSE_S = 0.25
_LOG_LINES = 5
_LIVES = ("STARTING", "RUNNING")


@dataclass(frozen=True, slots=True)
class ServiceState:
    """How a service is: ``running``, ``starting`` (not healthy yet), ``hung``, ``stopped`` or ``crashed``.

    A hung one was healthy and does not respond any more, or was stopped by a signal. A crashed one waits to
    be started again, or was given up.
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
        self._daemon = Supervisord(self._folder)
        self._say = say

    def up(self) -> None:
        """Start every service, and wait until each is healthy; if one fails, stop those started here.

        Raises:
            ServiceError: a port is taken, a command failed or a service is not healthy in time.
        """
        make_platform_folder(self._root)
        with self._alone(), self._leash() as note:
            started: list[Service] = []
            try:
                self._daemon.ensure(self._services)
                self._start_all(started, note)
            except BaseException:
                for service in reversed(started):
                    self._daemon.stop(service.name)
                self._end_if_idle()
                raise

    def down(self) -> None:
        """Stop every process that `up` started, and what they started, even if settings changed."""
        if not self._folder.is_dir():
            self._say("nothing was running")
            return
        with self._alone():
            stopped = [name for name in self._daemon.names() if self._daemon.stop(name)]
            self._daemon.end()
        for name in stopped:
            self._say(f"{name}: stopped")
        if not stopped:
            self._say("nothing was running")

    def states(self) -> Iterator[ServiceState]:
        """Yield how each service is."""
        return map(self._state, self._services)

    def was_started(self, name: str) -> bool:
        """Whether a service was started, by any settings, and not stopped."""
        return self._folder.is_dir() and name in self._daemon.names()

    def _start_all(self, started: list[Service], note: Callable[[str], object]) -> None:
        """Start what does not run, in order, and wait; each is noted and listed before it starts."""
        awaited: list[Service] = []
        for service in self._services:
            if self._state(service).state in ("running", "starting"):
                self._say(f"{service.name}: runs already {service.address}".rstrip())
                continue
            self._daemon.stop(service.name)  # what hangs, and what a killed one left behind
            if service.prepare:
                self._await_health(awaited)
                self._prepare(service)
            if service.port and _listening(service.port):
                raise ServiceError(
                    f"{service.name}: port {service.port} of {HOST} is taken by another program"
                )
            note(service.name)
            started.append(service)
            self._daemon.start(service)
            awaited.append(service)
        self._await_health(awaited)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other process starts or stops services here."""
        with make_private_file(self._folder / "services.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # the kernel gives it back, however the process ends
            yield

    @contextmanager
    def _leash(self) -> Iterator[Callable[[str], object]]:
        """Yield what notes a name; what is noted is stopped if this process is killed meanwhile."""
        command = [sys.executable, "-m", "dns_ops.platform.leash", str(self._folder.resolve())]
        guard = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, text=True
        )
        assert guard.stdin is not None  # noqa: S101 - so it was started

        def note(word: str) -> None:
            print(word, file=guard.stdin, flush=True)

        with guard:
            try:
                yield note
            finally:
                note("")  # the end: from here on they are to outlive this process, or were stopped by it

    def _state(self, service: Service) -> ServiceState:
        name = service.name
        said, process = self._daemon.state_of(name), self._daemon.process_of(name)
        if said not in _LIVES or process is None:
            lives_on = name in self._daemon.names() and said not in ("STOPPED", "STOPPING")
            return ServiceState(name, "crashed" if lives_on else "stopped", service.address, 0)
        return ServiceState(name, self._living_state(service, process), service.address, process.pid)

    def _living_state(self, service: Service, process: psutil.Process) -> str:
        if process.status() == psutil.STATUS_STOPPED:
            return "hung"
        known = self._folder / "services" / f"{service.name}.healthy"
        pid = str(process.pid)
        if not self._unhealthy(service):
            make_private_file(known).write_text(pid, encoding="ascii")
            return "running"
        return "hung" if known.exists() and known.read_text(encoding="ascii") == pid else "starting"

    def _prepare(self, service: Service) -> None:
        environment = {**os.environ, **service.environment}
        with make_private_file(self._log(service)).open("ab") as file:
            for command in service.prepare:
                done = subprocess.run(  # noqa: S603
                    command, cwd=self._root, env=environment, stdin=subprocess.DEVNULL,
                    stdout=file, stderr=file, check=False,
                )  # fmt: skip
                if done.returncode != 0:
                    raise ServiceError(f"{service.name}: could not be prepared: {self._last_words(service)}")

    def _await_health(self, awaited: list[Service]) -> None:
        """Wait for each in turn, and take it off the list."""
        while awaited:
            self._await_one(awaited[0])
            service = awaited.pop(0)
            self._say(f"{service.name}: {service.address or 'runs'}")

    def _await_one(self, service: Service) -> None:
        deadline = time.monotonic() + _HEALTHY_WITHIN_S
        while (state := self._state(service).state) != "running":
            if state == "crashed":
                raise ServiceError(f"{service.name}: ended at once: {self._last_words(service)}")
            if time.monotonic() > deadline:
                problem = self._unhealthy(service)
                raise ServiceError(f"{service.name}: not healthy after {_HEALTHY_WITHIN_S:.0f} s: {problem}")
            time.sleep(_PAUSE_S)

    def _unhealthy(self, service: Service) -> str:
        return connection_problem(f"{service.address}{service.health}") if service.health else ""

    def _end_if_idle(self) -> None:
        if not self._daemon.names():
            self._daemon.end()

    def _log(self, service: Service) -> Path:
        return self._folder / "logs" / f"{service.name}.log"

    def _last_words(self, service: Service) -> str:
        log = self._log(service)
        lines = log.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
        return (
            f"{' | '.join(line.strip() for line in lines[-_LOG_LINES:] if line.strip())} (all of it in {log})"
        )


def _listening(port: int) -> bool:
    with socket.socket() as trial:
        trial.settimeout(1)
        return trial.connect_ex((HOST, port)) == 0
