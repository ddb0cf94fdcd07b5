"""One process at a time changes a workspace."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dns_core.errors import DnsError
from dns_ops.settings import platform_folder


class WorkspaceBusyError(DnsError):
    """Another process works in this workspace."""


@contextmanager
def workspace_lock(root: Path, on_wait: Callable[[str], object] | None = None) -> Iterator[None]:
    """The block is the only one, among all processes, that runs stages in this workspace.

    The kernel lets go of the lock when the process ends, however it ends.

    Args:
        root: the workspace.
        on_wait: is told whom this waits for; if None, this does not wait.

    Raises:
        WorkspaceBusyError: another process is at it, and this is not to wait.
    """
    path = platform_folder(root) / "flow.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            busy = f"{root}: process {file.read().strip()} runs stages in this workspace"
            if on_wait is None:
                raise WorkspaceBusyError(f"{busy}; wait for it or cancel it") from None
            on_wait(f"{busy}; this run waits for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
