"""What supervisord runs as a service: it ends what a killed one left behind, and becomes the service.

The command and the variables, some of them secret, come from a file that only this user can read.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

_GRACE_S, _PAUSE_S = 20.0, 0.05
_SERVER, _NAME = "SUPERVISOR_SERVER_URL", "SUPERVISOR_PROCESS_NAME"


def main() -> None:
    """Become the service that a file describes: ``command``, ``environment``, ``port``."""
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if wanted["port"]:  # a child may hold the port; what a worker runs ends by itself
        end_processes(left_behind(os.environ[_SERVER], os.environ[_NAME]))
    command = wanted["command"]
    os.execvpe(command[0], command, {**os.environ, **wanted["environment"]})  # noqa: S606 - our own services


def left_behind(server: str, name: str) -> list[psutil.Process]:
    """Other processes of a service, wherever they went: each inherits variables that supervisord sets.

    Args:
        server: address of the supervisord.
        name: of the service.
    """
    own = psutil.Process()
    return [p for p in psutil.process_iter() if p != own and _variables(p) == (server, name)]


def end_processes(processes: Iterable[psutil.Process]) -> None:
    """Ask processes to end, and kill those that do not within some seconds."""
    asked = list(processes)
    for process in asked:
        tell(process, psutil.Process.resume)  # one that was stopped by a signal hears of nothing else
        tell(process, psutil.Process.terminate)
    for process in _alive_after(_GRACE_S, asked):
        tell(process, psutil.Process.kill)
    _alive_after(_GRACE_S, asked)


def _alive_after(seconds: float, processes: list[psutil.Process]) -> list[psutil.Process]:
    """Which of them still run when so many seconds are over; returns as soon as none does."""
    deadline = time.monotonic() + seconds
    while (alive := [p for p in processes if _lives(p)]) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)
    return alive


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie process, as in a container without init, does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def tell(process: psutil.Process, what: Callable[[psutil.Process], None]) -> None:
    """Send a signal to a process that may have ended."""
    try:
        what(process)
    except psutil.NoSuchProcess:
        return


def _variables(process: psutil.Process) -> tuple[str, str]:
    try:
        found = process.environ()
    except (psutil.Error, OSError):  # another user's, or it has ended
        return "", ""
    return found.get(_SERVER, ""), found.get(_NAME, "")


if __name__ == "__main__":
    main()
