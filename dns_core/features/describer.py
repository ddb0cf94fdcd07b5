"""One video described chunk by chunk: whole pictures first, then the windows in them."""

from collections.abc import Callable, Iterator

import numpy as np

from dns_core.features.panes import Batch, Describe, WindowPanes
from dns_core.records import UInt8Array
from dns_core.video.decode import FrameChunk


class FrameDescriber:
    """Takes chunks of any length and describes batches of one length.

    Args:
        prepared: what is described of frames that follow one another.
        describe: regions of them.
        batch_frames: frames of a batch.
        windows: whether windows are looked for.
    """

    def __init__(
        self,
        prepared: Callable[[UInt8Array], UInt8Array],
        describe: Describe,
        batch_frames: int,
        *,
        windows: bool,
    ) -> None:
        self._prepared = prepared
        self._describe = describe
        self._batch_frames = batch_frames
        self._panes = WindowPanes(describe) if windows else None
        self._rest: FrameChunk | None = None

    def add(self, chunk: FrameChunk) -> Iterator[Batch]:
        """Regions ``[N, R, D]`` and times ``[N]`` of each batch that a chunk completes."""
        joined = chunk if self._rest is None else _joined(self._rest, chunk)
        whole = len(joined.times_s) // self._batch_frames * self._batch_frames
        self._rest = _part(joined, whole, len(joined.times_s)) if whole < len(joined.times_s) else None
        for start in range(0, whole, self._batch_frames):
            yield self._described(_part(joined, start, start + self._batch_frames))

    def finish(self) -> Iterator[Batch]:
        """The last batch, which may be shorter, and then the panes of windows (see `pane_spans`)."""
        if self._rest is not None:
            yield self._described(self._rest)
        if self._panes:
            yield from self._panes.described()

    def _described(self, batch: FrameChunk) -> Batch:
        pictures = self._prepared(batch.frames)
        if self._panes:
            self._panes.add(pictures, batch.times_s)
        return self._describe(pictures), batch.times_s


def _joined(first: FrameChunk, second: FrameChunk) -> FrameChunk:
    return FrameChunk(
        times_s=np.concatenate([first.times_s, second.times_s]),
        frames=np.concatenate([first.frames, second.frames]),
    )


def _part(chunk: FrameChunk, start: int, stop: int) -> FrameChunk:
    return FrameChunk(times_s=chunk.times_s[start:stop], frames=chunk.frames[start:stop])
