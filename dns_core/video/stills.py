"""What a viewer sees of a video at given times: for thumbnails, and for short clips that browsers play."""

from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from av.video.frame import VideoFrame

from dns_core.errors import InputError
from dns_core.records import UInt8Array
from dns_core.video.container import open_video
from dns_core.video.frames import seek_before, timed_frames
from dns_core.video.picture import PictureScaler, displayed_size, pixel_ratio

# Containers round times to a millisecond; a picture shown at the very time asked for counts.
_TOLERANCE_S = 1e-3


def frames_at(
    path: Path, times_s: Sequence[float], *, max_side_px: int, threads: int = 0
) -> Iterator[UInt8Array]:
    """The picture that is on the screen at each time, upright RGB ``[H, W, 3]``, all of one size.

    Times after the last picture give that picture, once; before the first one they give the first.

    Args:
        path: the video.
        times_s: not empty, increasing.
        max_side_px: pictures are scaled down (never up) until the longer side is at most this.
        threads: of the decoder; 0 leaves the number to FFmpeg.

    Raises:
        InputError: no time is given.
        VideoError: the file is not a video that can be decoded.
    """
    if not times_s:
        raise InputError("expected at least one time of a video, found none")
    wanted = deque(times_s)
    shown: VideoFrame | None = None
    with open_video(path) as (container, stream):
        stream.thread_count = threads
        screen = _Screen(pixel_ratio(stream), max_side_px, threads)
        seek_before(container, stream, wanted[0])
        for frame in timed_frames(container, stream, path):
            while shown is not None and wanted and wanted[0] < frame.time_s - _TOLERANCE_S:
                wanted.popleft()
                yield screen.image(shown)
            if not wanted:
                return
            shown = frame.picture
        if shown is not None:
            yield screen.image(shown)


class _Screen:
    """Draws pictures at the size that suits the first of them."""

    def __init__(self, ratio: float, max_side_px: int, threads: int) -> None:
        self._ratio = ratio
        self._max_side_px = max_side_px
        self._scaler = PictureScaler(ratio, threads)
        self._size: tuple[int, int] | None = None
        self._drawn: tuple[VideoFrame, UInt8Array] | None = None

    def image(self, picture: VideoFrame) -> UInt8Array:
        """The picture as it is seen; one that stays on is drawn once."""
        if self._drawn is None or self._drawn[0] is not picture:
            self._size = self._size or self._fitting(picture)
            self._drawn = picture, self._scaler.fitted(picture, *self._size)
        return self._drawn[1]

    def _fitting(self, picture: VideoFrame) -> tuple[int, int]:
        width, height = displayed_size(picture, self._ratio)
        scale = min(1.0, self._max_side_px / max(width, height))
        return max(1, round(width * scale)), max(1, round(height * scale))
