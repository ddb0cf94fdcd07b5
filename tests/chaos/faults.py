"""A program that breaks at a chosen step: it runs a command of the platform, and meets a fault in the middle.

    python tests/chaos/faults.py FAULT STEP PROGRAM [ARGUMENT ...]

PROGRAM is ``dns``, ``push`` for what DVC keeps, or the name of a change of an index as `INDEX` has them.
STEP counts what touches a file: at that step the process is killed (FAULT ``kill``), or the step fails as on
a full disk (``full``). Without a fault (``none``) it writes how many steps there are.
"""

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.index import (
    EncodedVideo,
    Origin,
    add_videos,
    build_index,
    compact_index,
    remove_videos,
)

STEPS = {"open", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate", "os.symlink"}
MODELS = {"coarse": "c"}


def records(names: str) -> Iterator[EncodedVideo]:
    """One video for each letter."""
    for name in names:
        rng = np.random.default_rng(ord(name))
        vector = rng.normal(size=(1, 16)).astype(np.float32)
        frames = rng.integers(0, 2**62, size=(700, 4, 2), dtype=np.uint64)
        spans = np.array([[0, 700]])
        yield EncodedVideo(name, name, np.arange(700.0), spans, vector, {}, {"fine_binary": frames})


INDEX: dict[str, Callable[[Path], Any]] = {
    "build": lambda path: build_index(path, records("abcd"), Origin(MODELS)),
    "add": lambda path: add_videos(path, records("ef"), models=MODELS),
    "remove": lambda path: remove_videos(path, ["b"]),
    "compact": compact_index,
}


class Steps:
    """Counts what touches files below the current folder, and breaks at one of the steps."""

    def __init__(self, fault: str, at: int) -> None:
        self.n = 0
        self._fault = fault
        self._at = at
        self._root = str(Path.cwd())

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audited event."""
        if event not in STEPS or not any(self._is_ours(value) for value in arguments):
            return
        self.n += 1
        if self._fault == "kill" and self.n == self._at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._fault == "full" and self.n == self._at:
            raise OSError(errno.ENOSPC, "No space left on device", str(arguments[0]))

    def _is_ours(self, value: object) -> bool:
        return isinstance(value, str | Path) and str(Path.cwd() / value).startswith(self._root)


def main() -> None:
    """Run the program with its fault."""
    fault, at, program, *arguments = sys.argv[1:]
    steps = Steps(fault, int(at))
    sys.addaudithook(steps)
    if program in INDEX:
        INDEX[program](Path.cwd() / "index")
    elif program == "push":
        from dns_ops.pipeline.remote_step import push_everything  # noqa: PLC0415 - heavy

        push_everything(Path.cwd())
    else:
        from dns_apps.cli.main import main as dns  # noqa: PLC0415 - heavy

        sys.argv = ["dns", *arguments]
        try:
            dns()
        finally:
            if fault == "none":
                sys.stderr.write(f"{steps.n} steps\n")
        return
    sys.stdout.write(f"{steps.n}\n")


if __name__ == "__main__":
    main()
