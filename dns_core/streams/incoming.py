"""Frames of a stream on one clock, over broken connections, in bounded memory and never far behind."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from dns_core.decoding.decoders import Decoders, LiveFrame, LiveStart
from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.video.decode import Sampling
from dns_core.video.live import LiveSource

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 30.0
_FATAL = frozenset({"missing", "no_permission", "not_allowed"})
# A picture is read while others wait, and a clock that was joined again must not run back.
_LEAST_STEP_S = 1e-3


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """A frame ``[S, S, 3]`` at ``time_s`` of the stream; ``arrived_s`` is on the machine's clock."""

    time_s: float
    frame: UInt8Array
    arrived_s: float


@dataclass
class Counts:
    """What became of a stream, from its start on.

    Attributes:
        n_frames: that were taken.
        n_dropped: that were left out so as not to fall behind.
        n_damaged: packets that could not be decoded.
        n_connections: that brought a frame.
        n_failures: connections that failed or broke off.
    """

    n_frames: int = 0
    n_dropped: int = 0
    n_damaged: int = 0
    n_connections: int = 0
    n_failures: int = 0


class Incoming:
    """Reads a stream in a thread; use it in a ``with`` block.

    The clock of the stream begins at 0 with its first frame. A pause between two connections, or before
    stamps that jump, is as long on it as it was. Of a live stream the oldest waiting frame is dropped for a
    new one when ``max_late_s`` of frames wait; of a file or a pipe the reader waits.

    Args:
        source: the stream.
        decoders: read it; one process is taken.
        sampling: which frames, and their size.
        max_late_s: seconds of frames that may wait.
        first_pause_s: before the second try; doubled for each further one, up to 30 s.
        say: called with one sentence when a connection fails, and when one is there again.

    Attributes:
        counts: what became of the stream.
    """

    def __init__(  # noqa: PLR0913
        self,
        source: LiveSource,
        decoders: Decoders,
        sampling: Sampling,
        *,
        max_late_s: float = 6.0,
        first_pause_s: float = 0.5,
        say: Callable[[str], None] = _log.warning,
    ) -> None:
        self.counts = Counts()
        self._source, self._decoders, self._sampling = source, decoders, sampling
        self._first_pause_s, self._say = first_pause_s, say
        self._most = max(2, round(max_late_s * sampling.fps))
        self._waiting: deque[StreamFrame] = deque()
        self._change = threading.Condition()
        self._stopped = self._ended = False
        self._failure: Exception | None = None
        self._origin_s: float | None = None
        self._last_s = -_LEAST_STEP_S
        self._thread = threading.Thread(target=self._read, name=f"stream {source.address}", daemon=True)

    def __enter__(self) -> "Incoming":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take no more frames; what waits is still given out."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def __iter__(self) -> Iterator[StreamFrame]:
        """Frames until the stream ends or is stopped.

        Raises:
            VideoError: the stream cannot be read and trying again is of no use.
        """
        while True:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._ended or self._stopped)
                if not self._waiting:
                    break
                frame = self._waiting.popleft()
                self._change.notify_all()
            yield frame
        if self._failure:
            raise self._failure

    def _read(self) -> None:
        try:
            self._connections()
        except Exception as error:  # noqa: BLE001 - raised where frames are asked for
            self._failure = error
        with self._change:
            self._ended = True
            self._change.notify_all()

    def _connections(self) -> None:
        pause_s, silent = self._first_pause_s, False
        while not self._stopped:
            before = self.counts.n_frames
            try:
                ended = self._connection()
                reason = f"{self._source.address} has ended"
            except VideoError as error:
                if error.reason in _FATAL or not self._source.scheme:
                    raise
                ended, reason = False, error.detail
            if ended or self._stopped:
                return
            self.counts.n_failures += 1
            if self.counts.n_frames > before:
                pause_s, silent = self._first_pause_s, False
            if not silent:
                self._say(f"{reason}; trying again until it is there")
                silent = True
            self._pause(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _connection(self) -> bool:
        """Whether the stream, and not only a connection, is at its end."""
        live, shift_s, lost = True, None, self.counts.n_damaged
        with closing(self._decoders.stream(self._source, self._sampling)) as found:
            for part in found:
                if isinstance(part, LiveStart):
                    live = part.live
                    if not live and self._source.scheme and self.counts.n_connections:
                        raise VideoError("unreachable", f"{self._source.address} has ended")
                    continue
                if shift_s is None:
                    shift_s = self._joins_at_s(live=live) - part.time_s
                    if self.counts.n_connections:
                        self._say(f"{self._source.address} is there again")
                    self.counts.n_connections += 1
                if part.jumped and live:
                    shift_s = self._joins_at_s(live=live) - part.time_s
                self.counts.n_damaged = lost + part.n_damaged
                self._put(part, shift_s, live=live)
                if self._stopped:
                    return True
        return not live

    def _joins_at_s(self, *, live: bool) -> float:
        """When the first frame of a connection is, on the clock of the stream."""
        now_s = time.monotonic()
        if self._origin_s is None:
            self._origin_s = now_s
        floor_s = self._last_s + _LEAST_STEP_S
        return max(now_s - self._origin_s, floor_s) if live else floor_s

    def _put(self, part: LiveFrame, shift_s: float, *, live: bool) -> None:
        with self._change:
            if not live:
                self._change.wait_for(lambda: len(self._waiting) < self._most or self._stopped)
            elif len(self._waiting) >= self._most:
                self._waiting.popleft()
                self.counts.n_dropped += 1
            self._last_s = max(part.time_s + shift_s, self._last_s + _LEAST_STEP_S)
            self._waiting.append(StreamFrame(self._last_s, part.frame, time.monotonic()))
            self.counts.n_frames += 1
            self._change.notify_all()

    def _pause(self, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._stopped, seconds)
