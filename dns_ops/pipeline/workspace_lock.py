"""One process at a time changes a workspace."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from dns_core.errors import DnsError
from dns_ops.settings import make_private_file, platform_folder


class WorkspaceBusyError(DnsError):
    """Another process works in this workspace."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who works in a workspace.

    Attributes:
        name: for people; empty for a command.
        run_id: of the flow's run in Prefect; empty for a command.
        pid: of the process.
    """

    name: str = ""
    run_id: str = ""
    pid: int = 0

    def __str__(self) -> str:
        return f"{self.name or 'a command'} (process {self.pid})"


@contextmanager
def workspace_lock(
    root: Path, on_wait: Callable[[str], object] | None = None, holder: Holder = Holder()
) -> Iterator[None]:
    """Exclusive lock of a workspace among all processes that run its stages.

    The kernel lets go of the lock when the process ends, however it ends.

    Args:
        root: the workspace.
        on_wait: is told whom this waits for; if None, this does not wait.
        holder: what others are told while they wait for this.

    Raises:
        WorkspaceBusyError: another process is at it, and this is not to wait.
    """
    with make_private_file(_path(root)).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            busy = f"{workspace_holder(root) or 'another process'} works in {root}"
            if on_wait is None:
                raise WorkspaceBusyError(f"{busy}; wait for it or cancel it") from None
            on_wait(f"{busy}; this run waits for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "name": holder.name, "run_id": holder.run_id}))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def workspace_holder(root: Path) -> Holder | None:
    """The process that works in the workspace now; None if none does, or one has just begun."""
    try:
        found = Holder(**json.loads(_path(root).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return found if psutil.pid_exists(found.pid) else None


def _path(root: Path) -> Path:
    return platform_folder(root) / "flow.lock"
