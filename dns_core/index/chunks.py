"""How a video is cut into chunks, the unit that is compared."""

from dataclasses import dataclass

import numpy as np

from dns_core.errors import ParamsError
from dns_core.records import Float64Array, Int64Array, pane_spans


@dataclass(frozen=True, slots=True)
class Chunking:
    """A video of up to ``chunk_frames`` frames is one chunk, a longer one several that overlap.

    Of `params.yaml`: 256 frames are close to the 300 that the networks see in training (paper, 5.3), are a
    multiple of the comparator's pooling window of 4, and bound the memory of a pair. A stretch of up to
    ``overlap_frames`` lies whole in some chunk wherever it starts. Frames are stored once, so that
    overlap costs time on long videos and no space.

    Attributes:
        chunk_frames: frames of the longest chunk, at least 4.
        overlap_frames: frames that neighbours share at least, under half of ``chunk_frames``.
    """

    chunk_frames: int
    overlap_frames: int

    def __post_init__(self) -> None:
        if self.chunk_frames < 4 or not 0 <= self.overlap_frames <= self.chunk_frames // 2:
            raise ParamsError(
                f"chunk_frames must be 4 or more and overlap_frames between 0 and half of it, "
                f"got {self.chunk_frames} and {self.overlap_frames}"
            )

    def spans(self, n_frames: int) -> Int64Array:
        """``[C, 2]``: ``start`` and ``stop`` (exclusive) of each chunk; together they cover every frame.

        Chunks of one video are equally long, within a frame: a short tail would be compared badly.

        Args:
            n_frames: frames of the video, 0 or more; 0 gives no chunk.
        """
        if n_frames <= self.chunk_frames:
            return np.array([(0, n_frames)] if n_frames else [], dtype=np.int64).reshape(-1, 2)
        stride = self.chunk_frames - self.overlap_frames
        count = -(-(n_frames - self.overlap_frames) // stride)
        length = -(-(n_frames + (count - 1) * self.overlap_frames) // count)
        starts = np.arange(count, dtype=np.int64) * (n_frames - length) // (count - 1)
        return np.stack([starts, starts + length], axis=1)

    def pane_chunks(self, times_s: Float64Array) -> Int64Array:
        """``[C, 2]`` as `spans`, of a video whose panes are cut one by one.

        Args:
            times_s: ``[T]`` of the frames, pane after pane; see `dns_core.records.pane_spans`.
        """
        panes = [start + self.spans(int(stop - start)) for start, stop in pane_spans(times_s)]
        return np.concatenate(panes) if panes else self.spans(0)


def chunk_panes(times_s: Float64Array, spans: Int64Array) -> Int64Array:
    """``[C]`` the pane in which each chunk lies, counted from 0.

    Args:
        times_s: ``[T]`` of the frames; see `dns_core.records.pane_spans`.
        spans: ``[C, 2]`` frames of each chunk, which lies in one pane.
    """
    return np.searchsorted(pane_spans(times_s)[:, 0], spans[:, 0], side="right") - 1
