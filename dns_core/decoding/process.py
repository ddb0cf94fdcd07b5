"""One decoder process, the socket to it, and its limits."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from dns_core.errors import VideoError

_GRACE_S = 5.0
_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a video may cost.

    Attributes:
        memory_bytes: address space of the process that decodes.
        seconds: on the clock, and of processor time for each thread of the decoder.
        max_pixels: of one frame.
        max_duration_s: of the stretch that is decoded.
        threads: of the decoder; 0 leaves the number to FFmpeg.
        renewed: ``seconds`` count again after each answer, for example a few frames, so that a long video may
            take long and one that hangs may not.
        module: the program of the process; tests have one of their own.
    """

    memory_bytes: int
    seconds: float
    max_pixels: int
    max_duration_s: float
    threads: int = 1
    renewed: bool = False
    module: str = "dns_core.decoding.decoder"


class BrokenDecoderError(VideoError):
    """The decoder process died on a video, or had to be stopped; another try may end well."""


class DecoderFull(Exception):  # noqa: N818 - the process and the video are well, the disk is not
    """The disk is full; holds the number of the error."""


class DecoderRefusal(Exception):  # noqa: N818 - the process is well, the video is not
    """The video cannot be used, and why."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class DecoderProcess:
    """One process and the socket to it.

    Args:
        limits: for each task.
    """

    def __init__(self, limits: Limits) -> None:
        ours, its = socket.socketpair()
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        confined = {
            "memory_bytes": limits.memory_bytes,
            "seconds": limits.seconds * (limits.threads or len(os.sched_getaffinity(0))),
            "renewed": limits.renewed,
        }
        with ExitStack() as unless_started:
            unless_started.callback(ours.close)
            with its:
                self._process = subprocess.Popen(  # noqa: S603
                    [
                        sys.executable,
                        "-m",
                        limits.module,
                        str(its.fileno()),
                        json.dumps(confined),
                    ],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**environment, **_ALONE},
                    process_group=0,  # Ctrl-C is for its parent, which then stops it
                )
            unless_started.pop_all()
        self._connection = Connection(ours.detach())
        self._limits = limits
        self._patience_s = limits.seconds

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def answers(self, task: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Header and content of each answer to a task.

        Raises:
            BrokenDecoderError: the process died, or took too long; it must be replaced.
            DecoderRefusal: the video cannot be used.
            DecoderFull: there was no room to write.
        """
        # Only waiting for the process counts, and not what its reader does between answers.
        self._patience_s = self._limits.seconds
        try:
            self._connection.send_bytes(json.dumps(task).encode())
            while True:
                header = json.loads(self._received())
                if "end" in header:
                    return
                if "errno" in header:
                    raise DecoderFull(header["errno"])
                if "reason" in header:
                    raise DecoderRefusal(header["reason"], header["detail"])
                yield header, self._received() if header["n_bytes"] else b""
        except TimeoutError:
            allowed = f"{self._limits.seconds:g} s" + (" for a step" if self._limits.renewed else "")
            raise BrokenDecoderError(
                "too_large", f"decoding took longer than the {allowed} allowed"
            ) from None
        except (EOFError, OSError) as error:
            # Killed by the kernel for its memory or time, or by a defect of the decoder.
            raise BrokenDecoderError("corrupt", "the decoder broke down on the video") from error

    def kill(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.kill()
        self._process.wait(_GRACE_S)

    def _received(self) -> bytes:
        began = time.monotonic()
        if not self._connection.poll(self._patience_s):
            raise TimeoutError
        if not self._limits.renewed:
            self._patience_s = max(0.0, self._patience_s - (time.monotonic() - began))
        return self._connection.recv_bytes()
