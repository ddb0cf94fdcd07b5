"""Frames of a video, sampled on a grid of time, in bounded memory."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.stream import VideoStream

from dns_core.errors import ParamsError, VideoError
from dns_core.records import Float64Array, UInt8Array
from dns_core.video.clip import Clip
from dns_core.video.clock import USUAL_FPS, average_fps
from dns_core.video.container import open_video
from dns_core.video.frames import seek_before, timed_frames
from dns_core.video.grid import Grid
from dns_core.video.picture import PictureScaler, displayed_size, pixel_ratio

MAX_CLIP_BYTES = 2 << 30
"""`read_clip` refuses to hold more pixels than this."""

_FRAME_THREADS_PIXELS = 4096 * 2304


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames are taken from a video and at what size.

    Attributes:
        fps: frames a second; of a slower video a frame is repeated for as long as it is shown.
        resize_px: length to which the shorter side is scaled, of which the centre square is kept; None
            keeps the whole frame, squashed to a square.
        crop_px: side of the square, at most ``resize_px``.
        chunk_frames: frames in memory at a time.
        threads: of the decoder; 0 leaves the number to FFmpeg. Does not change the result.
    """

    fps: float = 1.0
    resize_px: int | None = 256
    crop_px: int = 224
    chunk_frames: int = 64
    threads: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.fps <= 1000:
            raise ParamsError(f"sampling fps must be in (0, 1000], not {self.fps}")
        if not 1 <= self.crop_px <= (self.resize_px or self.crop_px):
            raise ParamsError(f"crop_px must be in [1, resize_px={self.resize_px}], not {self.crop_px}")
        if self.chunk_frames < 1 or self.threads < 0:
            raise ParamsError("chunk_frames must be at least 1 and threads at least 0")


@dataclass(frozen=True, slots=True)
class FrameChunk:
    """Consecutive sampled frames.

    Attributes:
        times_s: ``[N]`` presentation times, strictly increasing, also from chunk to chunk.
        frames: ``[N, crop_px, crop_px, 3]`` RGB.
    """

    times_s: Float64Array
    frames: UInt8Array


def decode_frames(
    path: Path, sampling: Sampling, *, start_s: float = 0.0, stop_s: float = math.inf
) -> Iterator[FrameChunk]:
    """Sampled frames in chunks: for each grid time k / fps the first frame shown at or after it.

    Times are those of the container, with the start of the video stream as 0, so variable frame rates
    stay true; a picture that stays on the screen counts at each grid time that passes meanwhile. Memory
    does not grow with the length of the video. A file that breaks in the middle yields what came before the
    break and a warning in the log; one that breaks before its first frame is an error.

    Args:
        path: the video.
        sampling: which frames, and their size.
        start_s: frames shown before are left out; where a video can be sought, they are not decoded.
        stop_s: frames shown then or later are left out.

    Raises:
        VideoError: see `dns_core.errors.VideoError` for the reasons; raised at the first chunk.
    """
    times: list[float] = []
    frames = np.empty((sampling.chunk_frames, sampling.crop_px, sampling.crop_px, 3), np.uint8)
    with open_video(path) as (container, stream):
        _set_threads(stream, sampling.threads)
        scaler = PictureScaler(pixel_ratio(stream), sampling.threads)
        grid = Grid(sampling.fps, start_s)
        seek_before(container, stream, start_s)
        for frame in grid.sampled(timed_frames(container, stream, path, grid.cell_of)):
            if frame.time_s >= stop_s:
                break
            frames[len(times)] = scaler.square(frame.picture, sampling.crop_px, sampling.resize_px)
            times.append(frame.time_s)
            if len(times) == sampling.chunk_frames:
                yield FrameChunk(np.array(times), frames.copy())
                times.clear()
    if times:
        yield FrameChunk(np.array(times), frames[: len(times)].copy())


def read_clip(
    path: Path, *, fps: float | None = None, max_side_px: int | None = None, max_frames: int = 3000
) -> Clip:
    """The first ``max_frames`` frames of a video, whole, upright and in memory.

    Args:
        path: the video.
        fps: take frames on a grid as `decode_frames` does; every frame if None. The clip's own ``fps``
            is the mean rate of the frames taken, so a slower video is not sped up.
        max_side_px: scale down (never up) until the longer side is at most this.
        max_frames: read no further.

    Raises:
        VideoError: as `decode_frames`; ``too_large`` if the clip would exceed `MAX_CLIP_BYTES`.
    """
    times: list[float] = []
    frames: list[UInt8Array] = []
    with open_video(path) as (container, stream):
        _set_threads(stream, 0)
        ratio, claimed_fps = pixel_ratio(stream), average_fps(stream)
        scaler, grid = PictureScaler(ratio, 0), fps and Grid(fps)
        for frame in timed_frames(container, stream, path, grid.cell_of if grid else None):
            if grid and not grid.takes(frame.time_s):
                continue
            if not frames:
                # Pictures of a stream may change size; the clip keeps the size of the first.
                width, height = _limited(displayed_size(frame.picture, ratio), max_side_px)
            frames.append(scaler.fitted(frame.picture, width, height))
            times.append(frame.time_s)
            if len(frames) * width * height * 3 > MAX_CLIP_BYTES:
                raise VideoError("too_large", f"{path} needs more than {MAX_CLIP_BYTES} bytes in memory")
            if len(frames) == max_frames:
                break
    return Clip(np.stack(frames), _mean_rate(times, claimed_fps, fps), np.array(times))


def _set_threads(stream: VideoStream, threads: int) -> None:
    stream.thread_count = threads
    # Frame threads hold one more picture each; beyond 4K only slices of a picture run in parallel.
    stream.thread_type = "AUTO" if stream.width * stream.height <= _FRAME_THREADS_PIXELS else "SLICE"


def _limited(size: tuple[int, int], max_side_px: int | None) -> tuple[int, int]:
    width, height = size
    scale = min(1.0, max_side_px / max(size)) if max_side_px else 1.0
    return max(1, round(width * scale)), max(1, round(height * scale))


def _mean_rate(times: list[float], claimed_fps: float, asked_fps: float | None) -> float:
    if len(times) > 1:
        return (len(times) - 1) / (times[-1] - times[0])
    return min(claimed_fps or USUAL_FPS, asked_fps or math.inf)
