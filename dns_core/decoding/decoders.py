"""Decoding in processes of their own: warm, limited, and replaced when a video kills or outlasts one.

The query service decodes this way what its users send, and so does every command and stage that reads videos.
"""

import logging
import os
import queue
import subprocess
import tempfile
import weakref
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.decoding.process import DecoderFull, DecoderProcess, DecoderRefusal, Limits
from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.video.clip import Clip
from dns_core.video.decode import FrameChunk, Sampling
from dns_core.video.live import LiveSource
from dns_core.video.pdq import FrameHash, pdq_hasher
from dns_core.video.probe import StreamFacts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LiveStart:
    """A stream was opened; ``live`` is whether it comes at the speed of the clock."""

    live: bool


@dataclass(frozen=True, slots=True)
class LiveFrame:
    """A sampled frame of a stream.

    Attributes:
        time_s: from the start of the connection.
        frame: ``[S, S, 3]``.
        n_damaged: packets of the connection that could not be decoded.
        jumped: the stamps have jumped before it, so that its time only continues those before.
    """

    time_s: float
    frame: UInt8Array
    n_damaged: int
    jumped: bool = False


class Decoders:
    """A few processes that decode, each one video at a time.

    Args:
        n: processes; more tasks wait.
        limits: for each task.
        scratch: folder for what they write; it is empty whenever no clip is being made.
        lazy: start each process when it is first needed.
        show_paths: errors say where the file lies; otherwise they call it "the video".
    """

    def __init__(
        self,
        n: int,
        limits: Limits,
        scratch: Path | None = None,
        *,
        lazy: bool = False,
        show_paths: bool = False,
    ) -> None:
        self._limits = limits
        self._scratch = scratch
        self._show_paths = show_paths
        # None stands for a process that is started when it is needed.
        self._idle: queue.LifoQueue[DecoderProcess | None] = queue.LifoQueue()
        self._n = n
        self.n_replaced = 0
        for _ in range(n):
            self._idle.put(None if lazy else DecoderProcess(limits))
        self._end = weakref.finalize(self, _kill_idle, self._idle)

    def frames(
        self,
        path: Path,
        sampling: Sampling,
        start_s: float = 0.0,
        stop_s: float | None = None,
        *,
        pictures: bool = True,
    ) -> Generator[StreamFacts | FrameChunk, None, None]:
        """What the file says of itself, then its sampled frames in chunks; closing it early kills the work.

        Args:
            path: the video.
            sampling: which frames, and their size.
            start_s: where to begin.
            stop_s: where to end; None is the end of the video.
            pictures: a still picture is described too, by its views.

        Raises:
            VideoError: it cannot be decoded, or not within the limits.
        """
        task = {"what": "frames", "path": str(path), "start_s": start_s, "stop_s": stop_s}
        task |= {"fps": sampling.fps, "resize_px": sampling.resize_px, "crop_px": sampling.crop_px}
        task |= {"pictures": pictures}
        with closing(self._run(task)) as answers:
            for header, content in answers:
                if "facts" in header:
                    yield StreamFacts(**header["facts"])
                else:
                    yield FrameChunk(np.array(header["times_s"]), _images(content, header["side_px"]))

    def stream(self, source: LiveSource, sampling: Sampling) -> Generator[LiveStart | LiveFrame, None, None]:
        """Whether a stream is live, then its sampled frames as they come; closing it early kills the work.

        Args:
            source: what is read.
            sampling: which frames, and their size.

        Raises:
            VideoError: see `dns_core.video.live.open_live`.
        """
        task = {"what": "stream", "path": source.address, "fps": sampling.fps, **asdict(source)}
        task |= {"resize_px": sampling.resize_px, "crop_px": sampling.crop_px}
        with closing(self._run(task)) as answers:
            for header, content in answers:
                if "live" in header:
                    yield LiveStart(header["live"])
                else:
                    (frame,), (time_s,) = _images(content, header["side_px"]), header["times_s"]
                    yield LiveFrame(time_s, frame, header["n_damaged"], header["jumped"])

    def facts(self, path: Path, *, pictures: bool = True) -> StreamFacts:
        """What the file says of itself.

        Args:
            path: the video.
            pictures: a still picture has facts too.

        Raises:
            VideoError: it cannot be decoded, or not within the limits.
        """
        header, _ = self._one({"what": "facts", "path": str(path), "pictures": pictures})
        return StreamFacts(**header["facts"])

    def hashes(self, path: Path, every_s: float) -> tuple[list[FrameHash], bool]:
        """PDQ hashes of a video's frames, or of a picture, and whether it is one; raises as `facts`.

        Args:
            path: the file.
            every_s: seconds between two frames that are hashed.

        Raises:
            ModuleNotFoundError: the package pdqhash is not installed.
        """
        pdq_hasher()  # here, and not in the process, which would only break down
        answers = [
            header for header, _ in self._run({"what": "hashes", "path": str(path), "every_s": every_s})
        ]
        return [FrameHash(**header["hash"]) for header in answers], answers[0]["is_picture"]

    def whole(self, path: Path, *, fps: float, max_side_px: int, max_frames: int) -> Clip:
        """Whole frames of a video, as `dns_core.video.read_clip` gives them; raises as `facts`."""
        task = {"what": "whole", "path": str(path), "fps": fps, "max_side_px": max_side_px}
        with closing(self._run({**task, "max_frames": max_frames, "pictures": False})) as answers:
            head, _ = next(answers)
            frames = np.empty(head["shape"], np.uint8)
            for number, (_, content) in enumerate(answers):
                frames[number] = np.frombuffer(content, np.uint8).reshape(head["shape"][1:])
        return Clip(frames, head["fps"], np.array(head["times_s"]))

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
        """End every process; wait for those at work."""
        self._end.detach()
        for _ in range(self._n):
            if worker := self._idle.get():
                worker.kill()

    def probe(self) -> None:
        """Check that an idle process answers; if all are at work, they show that they work.

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
        shared = {"max_pixels": limits.max_pixels, "max_duration_s": limits.max_duration_s, "pictures": True}
        worker, kept = self._idle.get(), None
        try:
            worker = self._living(worker)
            yield from worker.answers({**shared, **task, "threads": limits.threads})
            kept = worker
        except DecoderRefusal as refusal:
            kept = worker
            raise VideoError(refusal.reason, self._shown(refusal.detail, task)) from None
        except DecoderFull as full:
            kept = worker
            raise OSError(full.args[0], os.strerror(full.args[0])) from None
        finally:
            # The place is always freed, or the service would have one decoder less for good.
            self._idle.put(kept or self._replaced(worker))

    def _living(self, worker: "DecoderProcess | None") -> "DecoderProcess":
        if worker is not None and worker.alive:
            return worker
        return self._replaced(worker) or DecoderProcess(self._limits)

    def _shown(self, detail: str, task: dict[str, Any]) -> str:
        # Users of a service must not learn where the file lies.
        return detail if self._show_paths else detail.replace(task["path"], "the video")

    def _replaced(self, worker: "DecoderProcess | None") -> "DecoderProcess | None":
        """Another process; None if none can be started now."""
        try:
            if worker is not None:
                self.n_replaced += 1
                worker.kill()
            return DecoderProcess(self._limits)
        except (OSError, subprocess.SubprocessError) as error:
            _log.warning("a decoder cannot be started: %s", error)
            return None


def _kill_idle(idle: "queue.LifoQueue[DecoderProcess | None]") -> None:
    while not idle.empty():
        if worker := idle.get():
            worker.kill()


def _images(content: bytes, side_px: int) -> UInt8Array:
    return np.frombuffer(content, dtype=np.uint8).reshape(-1, side_px, side_px, 3).copy()
