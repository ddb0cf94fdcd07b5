"""Decoding in processes of their own: warm, limited, and replaced when a video kills or outlasts one."""

import json
import logging
import os
import queue
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.video.decode import FrameChunk, Sampling
from dns_core.video.probe import StreamFacts

_log = logging.getLogger(__name__)

_GRACE_S = 5.0
_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
_QUIET = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a video may cost.

    Attributes:
        memory_bytes: address space of the process that decodes.
        seconds: on the clock, and of processor time for each thread of the decoder.
        max_pixels: of one frame.
        max_duration_s: of the stretch that is decoded.
        threads: of the decoder.
    """

    memory_bytes: int
    seconds: float
    max_pixels: int
    max_duration_s: float
    threads: int = 1


class Decoders:
    """A few processes that decode, each one video at a time.

    Args:
        n: processes; more tasks wait.
        limits: for each task.
        scratch: folder for what they write; it is empty whenever no clip is being made.
    """

    def __init__(self, n: int, limits: Limits, scratch: Path) -> None:
        self._limits = limits
        self._scratch = scratch
        # None stands for a process that is started when it is needed.
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._n = n
        self.n_replaced = 0
        for _ in range(n):
            self._idle.put(_Worker(limits))

    def frames(
        self, path: Path, sampling: Sampling, start_s: float, stop_s: float | None
    ) -> Generator[StreamFacts | FrameChunk, None, None]:
        """What the file says of itself, then its sampled frames in chunks; closing it early kills the work.

        Args:
            path: the video.
            sampling: which frames, and their size.
            start_s: where to begin.
            stop_s: where to end; None is the end of the video.

        Raises:
            VideoError: it cannot be decoded, or not within the limits.
        """
        task = {"what": "frames", "path": str(path), "start_s": start_s, "stop_s": stop_s}
        task |= {"fps": sampling.fps, "resize_px": sampling.resize_px, "crop_px": sampling.crop_px}
        with closing(self._run(task)) as answers:
            for header, content in answers:
                if "facts" in header:
                    yield StreamFacts(**header["facts"])
                else:
                    yield FrameChunk(np.array(header["times_s"]), _images(content, header["side_px"]))

    def facts(self, path: Path) -> StreamFacts:
        """What the file says of itself.

        Raises:
            VideoError: it cannot be decoded, or not within the limits.
        """
        header, _ = self._one({"what": "facts", "path": str(path)})
        return StreamFacts(**header["facts"])

    def picture(self, path: Path, at_s: float, max_side_px: int) -> bytes:
        """A JPEG of one moment; raises as `facts`."""
        task = {"what": "picture", "path": str(path), "at_s": at_s, "max_side_px": max_side_px}
        return self._one(task)[1]

    def clip(self, path: Path, start_s: float, stop_s: float, max_side_px: int) -> bytes:
        """An MP4 of a stretch, H.264 without sound; raises as `facts`."""
        with tempfile.TemporaryDirectory(prefix="clip-", dir=self._scratch) as scratch:
            task = {"what": "clip", "path": str(path), "start_s": start_s, "stop_s": stop_s}
            return self._one({**task, "max_side_px": max_side_px, "scratch": scratch})[1]

    def close(self) -> None:
        """No process is left; waits for those at work."""
        for _ in range(self._n):
            if worker := self._idle.get():
                worker.kill()

    def probe(self) -> None:
        """A process that is idle answers; if all are at work, they show that they work.

        Raises:
            VideoError: it does not.
            OSError: none can be started.
        """
        if not self._idle.empty():
            self._one({"what": "nothing", "path": ""})

    def _one(self, task: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        (answer,) = self._run(task)
        return answer

    def _run(self, task: dict[str, Any]) -> Generator[tuple[dict[str, Any], bytes], None, None]:
        limits = self._limits
        shared = {"max_pixels": limits.max_pixels, "max_duration_s": limits.max_duration_s}
        worker, kept = self._idle.get(), None
        try:
            worker = self._living(worker)
            yield from worker.answers({**task, **shared, "threads": limits.threads}, limits.seconds)
            kept = worker
        except _WorkerRefusal as refusal:
            kept = worker
            raise VideoError(refusal.reason, refusal.detail) from None
        except _WorkerFull as full:
            kept = worker
            raise OSError(full.args[0], os.strerror(full.args[0])) from None
        finally:
            # The place is free again whatever happens, or the service would have one decoder less for good.
            self._idle.put(kept or self._replaced(worker))

    def _living(self, worker: "_Worker | None") -> "_Worker":
        if worker is not None and worker.alive:
            return worker
        return self._replaced(worker) or _Worker(self._limits)

    def _replaced(self, worker: "_Worker | None") -> "_Worker | None":
        """Another process; None if none can be started now."""
        self.n_replaced += 1
        try:
            if worker is not None:
                worker.kill()
            return _Worker(self._limits)
        except (OSError, subprocess.SubprocessError) as error:
            _log.warning("a decoder cannot be started: %s", error)
            return None


class _WorkerFull(Exception):  # noqa: N818 - the process and the video are well, the disk is not
    """Holds the number of the error."""


class _WorkerRefusal(Exception):  # noqa: N818 - the process is well, the video is not
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class _Worker:
    """One process and the socket to it."""

    def __init__(self, limits: Limits) -> None:
        ours, its = socket.socketpair()
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        confined = {"memory_bytes": limits.memory_bytes, "seconds": limits.seconds * limits.threads}
        with ExitStack() as unless_started:
            unless_started.callback(ours.close)
            with its:
                self._process = subprocess.Popen(  # noqa: S603
                    [
                        sys.executable,
                        "-m",
                        "dns_apps.service.decoder",
                        str(its.fileno()),
                        json.dumps(confined),
                    ],
                    pass_fds=[its.fileno()],
                    stdin=subprocess.DEVNULL,
                    env={**environment, **_QUIET},
                )
            unless_started.pop_all()
        self._connection = Connection(ours.detach())
        self._patience_s = limits.seconds

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def answers(self, task: dict[str, Any], seconds: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        # Only waiting for the process counts, and not what its reader does between answers.
        self._patience_s = seconds
        try:
            self._connection.send_bytes(json.dumps(task).encode())
            while True:
                header = json.loads(self._received())
                if "end" in header:
                    return
                if "errno" in header:
                    raise _WorkerFull(header["errno"])
                if "reason" in header:
                    raise _WorkerRefusal(header["reason"], header["detail"])
                yield header, self._received() if header["n_bytes"] else b""
        except TimeoutError:
            raise VideoError("too_large", f"decoding took longer than the {seconds:g} s allowed") from None
        except (EOFError, OSError) as error:
            # Killed by the kernel for its memory or time, or by a defect of the decoder.
            raise VideoError("corrupt", "the decoder broke down on the video") from error

    def kill(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.wait(_GRACE_S)

    def _received(self) -> bytes:
        began = time.monotonic()
        if not self._connection.poll(self._patience_s):
            raise TimeoutError
        self._patience_s = max(0.0, self._patience_s - (time.monotonic() - began))
        return self._connection.recv_bytes()


def _images(content: bytes, side_px: int) -> UInt8Array:
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, side_px, side_px, 3).copy()
