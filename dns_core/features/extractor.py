"""Region descriptors of a video: decoding in one thread while the network runs in another."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dns_core.errors import ParamsError
from dns_core.features.borders import without_borders
from dns_core.features.describer import FrameDescriber
from dns_core.features.description import FrameNetwork
from dns_core.features.prefetch import prefetched
from dns_core.records import Float32Array, Float64Array, UInt8Array, VideoFeatures
from dns_core.video.decode import FrameChunk, Sampling, decode_frames

_CHUNKS_AHEAD = 2


class Extractor:
    """Frames to region descriptors, in batches of one size, independent of the decoder's chunks.

    Args:
        network: computes the description.
        batch_frames: frames that go through the network at once, and whose bars are found together.

    Attributes:
        description: of the frames.
    """

    def __init__(self, network: FrameNetwork, *, batch_frames: int = 16) -> None:
        if batch_frames < 1:
            raise ParamsError(f"batch_frames must be at least 1, not {batch_frames}")
        self.description = network.description
        self._network = network
        self._batch_frames = batch_frames

    @property
    def fingerprint(self) -> str:
        """See `Description.fingerprint`."""
        return self.description.fingerprint

    def frames_to_regions(self, frames: UInt8Array) -> Float32Array:
        """Region descriptors ``[N, R, D]`` of RGB frames ``[N, H, W, 3]``, unit length along D.

        Frames that show nothing have zeros.
        """
        if not len(frames):
            return np.zeros((0, self.description.card.regions, self.description.dims), dtype=np.float32)
        starts = range(0, len(frames), self._batch_frames)
        batches = (self._pictures(frames[k : k + self._batch_frames]) for k in starts)
        return np.concatenate([self._network(batch) for batch in batches])

    def describer(self, *, windows: bool = True) -> FrameDescriber:
        """Describes one video, chunk by chunk.

        Args:
            windows: whether windows in whole frames are looked for.
        """
        windows = windows and self.description.frame == "whole"
        return FrameDescriber(self._pictures, self._network, self._batch_frames, windows=windows)

    def stream(
        self, path: Path, sampling: Sampling, *, windows: bool = True
    ) -> Iterator[tuple[Float32Array, Float64Array]]:
        """Regions ``[N, R, D]`` and times ``[N]`` in seconds, batch by batch, as `FrameDescriber` gives them.

        Args:
            path: the video.
            sampling: which frames, and their size.
            windows: whether windows in whole frames are looked for.

        Raises:
            VideoError: the file is not a video that can be decoded.
        """
        yield from self.describe(decode_frames(path, sampling), windows=windows)

    def describe(
        self, chunks: Iterator[FrameChunk], *, windows: bool = True
    ) -> Iterator[tuple[Float32Array, Float64Array]]:
        """As `stream`, of chunks of frames that a background thread gets ahead."""
        describer = self.describer(windows=windows)
        with prefetched(chunks, _CHUNKS_AHEAD) as ahead:
            for chunk in ahead:
                yield from describer.add(chunk)
        yield from describer.finish()

    def extract(self, path: Path, video_id: str, sampling: Sampling) -> VideoFeatures:
        """The whole of `stream` as one record; about 64 KB a frame with the smallest backbone."""
        regions, times_s = zip(*self.stream(path, sampling), strict=True)
        return VideoFeatures(video_id, np.concatenate(regions), np.concatenate(times_s))

    def _pictures(self, frames: UInt8Array) -> UInt8Array:
        """What is described of frames: all of it, or all but the bars."""
        return without_borders(frames) if self.description.frame == "whole" else frames
