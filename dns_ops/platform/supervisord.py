"""The supervisord of a workspace: it starts crashed services again, later after each failure in a row.

Reference: docs/decisions/0023-supervisord-keeps-the-services.md.
"""

import http.client
import os
import shlex
import socket
import subprocess
import sys
import time
import xmlrpc.client  # nosec B411 - of our own supervisor, by a socket that only its user opens
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from dns_core.errors import DnsError
from dns_core.store.atomic import atomic_file, dump_json
from dns_ops.platform.service_process import end_processes, left_behind, tell
from dns_ops.platform.services import Service
from dns_ops.settings import make_private_file, make_private_folder

_ANSWERS_WITHIN_S = 60.0
_RPC_S, _STOP_RPC_S = 5.0, 60.0
_PAUSE_S = 0.1
_LONGEST_SOCKET = 96  # of an address on Linux, less what supervisord appends for a moment
_PRIVATE_MASK = 0o077
_UNKNOWN = 10  # supervisord's number for a name that it does not know

_HEAD = """\
[unix_http_server]
file=%(here)s/sv.sock
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisord]
logfile=%(here)s/logs/supervisord.log
pidfile=%(here)s/supervisord.pid
nodaemon=true
silent=true
umask=077
"""
_PROGRAM = """\
[program:{name}]
command={python} -m dns_ops.platform.service_process {file}
directory=%(here)s/..
umask={umask:03o}
autostart=false
autorestart=true
startsecs=20
startretries=30
stopwaitsecs=20
killasgroup=true
redirect_stderr=true
stdout_logfile=%(here)s/logs/{name}.log
"""


class ServiceError(DnsError):
    """A service cannot be started, or is not what it should be."""


class Supervisord:
    """The supervisord of one workspace, which may not run.

    Args:
        folder: the platform's.

    Attributes:
        address: that its processes know it by.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._socket = self._folder / "sv.sock"
        self._config = self._folder / "supervisord.conf"
        self.address = f"unix://{self._socket}"

    @property
    def runs(self) -> bool:
        """Whether it answers."""
        try:
            self._call("getPID")
        except OSError:
            return False
        return True

    def names(self) -> list[str]:
        """Names of the services that were started and not stopped, the latest first."""
        files = self._services.glob("*.json")
        return [file.stem for file in sorted(files, key=lambda f: f.stat().st_mtime, reverse=True)]

    def ensure(self, services: Sequence[Service]) -> None:
        """Start it if it does not run; it knows the services afterwards.

        Raises:
            ServiceError: it cannot be started.
        """
        if len(str(self._socket)) > _LONGEST_SOCKET:
            room = _LONGEST_SOCKET - len("/.platform/sv.sock")
            raise ServiceError(
                f"{self._folder.parent}: the path is too long for a socket; expected at most {room} bytes"
            )
        make_private_folder(self._folder / "logs")
        with atomic_file(self._config) as temporary:
            make_private_file(temporary).write_text(
                _HEAD + "".join(map(self._program, services)), encoding="utf-8"
            )
        if not self.runs:
            self.end()  # one that hangs
            self._launch()
        ((added, changed, _),) = self._call("reloadConfig")
        for name in changed:
            if self.process_of(name) is None:
                self._call("removeProcessGroup", name)
                added.append(name)
        for name in added:
            self._call("addProcessGroup", name)

    def start(self, service: Service) -> None:
        """Have it run a service that it knows, and keep it running."""
        environment = dict(service.environment)
        wanted = {"command": service.command, "environment": environment, "port": service.port}
        with atomic_file(self._file(service.name)) as temporary:  # secrets are among the variables
            make_private_file(temporary).write_text(dump_json(wanted), encoding="utf-8")
        self._call("startProcess", service.name, False)

    def state_of(self, name: str) -> str:
        """What it says of a service, as ``RUNNING``; empty if it does not run or does not know it."""
        return str(self._info(name).get("statename", ""))

    def process_of(self, name: str) -> psutil.Process | None:
        """The process of a service, if one runs under it."""
        try:
            pid = self._info(name).get("pid", 0)
            return psutil.Process(pid) if pid else None
        except psutil.NoSuchProcess:
            return None

    def stop(self, name: str) -> bool:
        """Whether anything of the service ran; nothing does now."""
        process = self.process_of(name)
        if process is not None:
            tell(process, psutil.Process.resume)
        if self.state_of(name):
            with suppress(xmlrpc.client.Fault):  # it had ended, and is not started again
                self._call("stopProcess", name, timeout_s=_STOP_RPC_S)
        left = left_behind(self.address, name)
        end_processes(left)
        self._file(name).unlink(missing_ok=True)
        return process is not None or bool(left)

    def end(self) -> None:
        """End supervisord itself, even if it hangs; services that it runs are stopped before."""
        try:
            daemon = psutil.Process(int((self._folder / "supervisord.pid").read_text()))
            if str(self._config) in daemon.cmdline():  # else the number has been given to another
                end_processes([daemon])
        except (OSError, ValueError, psutil.NoSuchProcess):
            return

    @property
    def _services(self) -> Path:
        return self._folder / "services"

    def _file(self, name: str) -> Path:
        return self._services / f"{name}.json"

    def _program(self, service: Service) -> str:
        file = shlex.quote(str(self._file(service.name).relative_to(self._folder.parent)))
        python = shlex.quote(sys.executable).replace("%", "%%")
        umask = _PRIVATE_MASK if service.private else _current_umask()
        return _PROGRAM.format(name=service.name, python=python, file=file, umask=umask)

    def _launch(self) -> None:
        command = [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(self._config)]
        log = self._folder / "logs" / "supervisord.log"
        with make_private_file(log).open("ab") as file:
            daemon = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                start_new_session=True, umask=_PRIVATE_MASK,
            )  # fmt: skip
        deadline = time.monotonic() + _ANSWERS_WITHIN_S
        while not self.runs:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise ServiceError(f"supervisord did not start; {log} says why")
            time.sleep(_PAUSE_S)
        daemon.returncode = 0  # it is to outlive this process, and its object here should not mind

    def _info(self, name: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._call("getProcessInfo", name)
        except OSError:
            return {}
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != _UNKNOWN:
                raise
            return {}
        return found

    def _call(self, method: str, *given: Any, timeout_s: float = _RPC_S) -> Any:
        transport = _SocketTransport(self._socket, timeout_s)
        with xmlrpc.client.ServerProxy("http://localhost", transport) as server:
            return getattr(server.supervisor, method)(*given)


class _SocketTransport(xmlrpc.client.Transport):
    """XML-RPC over a socket of this machine."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__()
        self._path = path
        self._timeout_s = timeout_s

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(str(host))
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(self._timeout_s)
        try:
            connection.sock.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self._connection = host, connection  # which the parent closes
        return connection


def _current_umask() -> int:
    mask = os.umask(_PRIVATE_MASK)
    os.umask(mask)
    return mask
