"""Frames to an H.264 file: the same frames give the same bytes."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from dns_core.errors import InputError
from dns_core.records import UInt8Array

_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
"""So that processors of other makes round alike."""


def write_video(path: Path, frames: Iterable[UInt8Array], fps: float, *, crf: int = 23) -> None:
    """Write frames as H.264 in mp4 (yuv420p), whole or not at all, the same bytes for the same frames.

    A side of odd length is lengthened by repeating its last row or column, because yuv420p halves
    both sides. Scaler and encoder run on one thread and the container bears no date, so the bytes do
    not depend on the machine's cores or clock.

    Args:
        path: the file to write; its folder is made if it is missing.
        frames: ``[H, W, 3]`` RGB frames, all of one size; consumed one at a time.
        fps: frames a second, above 0.
        crf: x264's constant rate factor, 0 (lossless) to 51 (worst).

    Raises:
        InputError: there is no frame, a frame is not ``[H, W, 3]`` uint8 of the first one's size,
            or ``fps`` or ``crf`` is out of range.
    """
    if not 0 < fps < 1000:
        raise InputError(f"frames a second must lie between 0 and 1000, found {fps}")
    if not 0 <= crf <= 51:
        raise InputError(f"the constant rate factor must lie in 0..51, found {crf}")
    remaining = iter(frames)
    first = next(remaining, None)
    if first is None:
        raise InputError(f"there is no frame to write to {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with _whole_file(path) as partial, av.open(str(partial), "w", format="mp4") as container:
        stream = _x264_stream(container, first, Fraction(fps).limit_denominator(1001), crf)
        for frame in _yuv_frames(chain([first], remaining), first.shape):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


# Macroblock-tree rate control is off: with AVX-512 (x264 core 165) it weighs blocks by memory that nothing
# wrote, and the same frames give other bytes now and then.
def _x264_stream(container: OutputContainer, first: UInt8Array, rate: Fraction, crf: int) -> VideoStream:
    _require_rgb(first, first.shape)
    container.flags |= 0x0400  # AVFMT_FLAG_BITEXACT: the muxer leaves its version out
    options = {"crf": str(crf), "preset": "veryfast", "x264-params": "mbtree=0"}
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.height, stream.width = (side + side % 2 for side in first.shape[:2])
    stream.pix_fmt = "yuv420p"
    stream.codec_context.thread_count = 1  # x264 divides its work, so its result, by its threads
    return stream


def _yuv_frames(frames: Iterable[UInt8Array], shape: tuple[int, ...]) -> Iterator[VideoFrame]:
    reformatter = VideoReformatter()
    odd = [(0, shape[0] % 2), (0, shape[1] % 2), (0, 0)]
    for number, frame in enumerate(frames):
        _require_rgb(frame, shape)
        even = np.pad(frame, odd, mode="edge") if any(map(any, odd)) else frame
        picture = VideoFrame.from_ndarray(np.ascontiguousarray(even), format="rgb24")
        converted = reformatter.reformat(picture, format="yuv420p", interpolation=_EXACT, threads=1)
        converted.pts = number
        yield converted


def _require_rgb(frame: UInt8Array, shape: tuple[int, ...]) -> None:
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.shape != shape:
        raise InputError(
            f"a frame must be [H, W, 3] uint8 of the first one's size {shape}, "
            f"found {frame.shape} {frame.dtype}"
        )


@contextmanager
def _whole_file(path: Path) -> Iterator[Path]:
    # `store.atomic` does the same one layer up: video and store are siblings that may not meet.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.chmod(0o644)  # mkstemp makes a file that only its owner can read
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
