"""Child processes that die with their parent: ``python -m dns_ops.pipeline.guarded_process COMMAND...``.

A stage is a tree of processes (DVC, a shell, the stage). This one stands between them and their owner: when
the owner ends, however it ends, or asks for it by SIGTERM, the whole tree is told to stop, and after a
grace is killed.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import psutil

GRACE_S = 10
_PR_SET_PDEATHSIG = 1


class Children:
    """The guarded processes of one piece of work; those that still run when the block ends are stopped."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        on_line: Callable[[str], object],
        timeout_s: float,
    ) -> int:
        """Exit code of ``command``, each line of whose output has been given to ``on_line``.

        Args:
            command: program and arguments.
            cwd: where it runs.
            environment: all its variables.
            on_line: is called by the thread that called this, for stdout and stderr alike.
            timeout_s: after so long it is stopped.

        Raises:
            InterruptedError: the work was stopped before this could begin.
        """
        process = self._started(command, cwd, environment)
        timer = threading.Timer(timeout_s, process.terminate)
        timer.daemon = True
        timer.start()
        try:
            with process:
                assert process.stdout is not None  # noqa: S101 - it is a pipe
                for line in process.stdout:
                    on_line(line.rstrip())
            return process.returncode
        finally:
            timer.cancel()
            self._running.discard(process)

    def _started(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise InterruptedError(f"stopped before {command[0]} began")
            process = subprocess.Popen(  # noqa: S603
                _guarded(command),
                cwd=cwd,
                env={**environment, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="backslashreplace",
            )
            self._running.add(process)
        return process

    def stop(self) -> None:
        """Ask all that run to stop; none begins afterwards."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.terminate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def run_in_foreground(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> int:
    """Exit code of a guarded command that writes where this process writes.

    Args:
        command: program and arguments.
        cwd: where it runs.
        environment: all its variables.
    """
    process = subprocess.Popen(_guarded(command), cwd=cwd, env=environment)  # noqa: S603
    try:
        return process.wait()
    finally:
        if process.poll() is None:  # Ctrl-C: what it started may want its grace
            process.terminate()
            process.wait()


def _guarded(command: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "dns_ops.pipeline.guarded_process", *command]


def main() -> int:
    """Run the command of this process's arguments; its exit code, or 128 and the signal that ended it."""
    owner = os.getppid()
    groups: list[int] = []
    asked: list[int] = []

    def tell(number: signal.Signals) -> None:
        for group in groups:
            _signal_group(group, number)

    def kill(_number: int, _frame: FrameType | None) -> None:
        # Guards below end with their group, and could not stop what they guard any more.
        family = psutil.Process().children(recursive=True)
        tell(signal.SIGKILL)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()

    def stop(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        tell(signal.SIGTERM)
        signal.alarm(GRACE_S)

    # Before the command begins: a signal between its start and a handler would leave it alone in the world.
    signal.signal(signal.SIGALRM, kill)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    process = subprocess.Popen(sys.argv[1:], start_new_session=True)  # noqa: S603
    groups.append(process.pid)
    if asked or os.getppid() != owner:  # too early for the command to hear, or for the kernel to tell
        os.kill(os.getpid(), signal.SIGTERM)
    code = process.wait()
    # A shell between may have ended before what it started.
    tell(signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main())
