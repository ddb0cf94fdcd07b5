"""Tiny real files in every container, made with PyAV alone so that reading is tested without our writer."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.stream import Disposition
from av.video.frame import VideoFrame

from dns_core.records import UInt8Array

MakeVideo = Callable[..., Path]


def moving_square(n_frames: int = 25, width: int = 64, height: int = 48) -> UInt8Array:
    """A grey ramp with a bright square that moves to the right; red top left corner."""
    frames = np.zeros((n_frames, height, width, 3), np.uint8)
    frames[:] = np.linspace(20, 120, width, dtype=np.uint8)[None, None, :, None]
    side = max(1, min(width, height) // 4)
    for number, frame in enumerate(frames):
        left = (number * 2) % max(1, width - side)
        frame[height // 2 :, left : left + side] = 235
    frames[:, : height // 4, : width // 4] = (220, 20, 20)
    return frames


def write(
    path: Path,
    frames: UInt8Array | None = None,
    *,
    codec: str | None = "libx264",
    fps: float = 25,
    pix_fmt: str = "yuv420p",
    stamps_ms: Sequence[int] | None = None,
    rotation_deg: int = 0,
    hflip: bool = False,
    pixel_ratio: Fraction | None = None,
    audio_s: float = 0.0,
    disposition: Disposition | None = None,
    options: dict[str, str] | None = None,
    **open_options: Any,
) -> Path:
    """Write ``frames`` (a moving square by default) and return ``path``; ``codec`` None: sound only."""
    frames = moving_square() if frames is None else frames
    with av.open(str(path), "w", **open_options) as container:
        video: Any = None
        if codec is not None:
            rate = Fraction(fps).limit_denominator(1001)
            video = container.add_stream(codec, rate=rate, options=options or {})
            video.height, video.width, video.pix_fmt = *frames.shape[1:3], pix_fmt
            if pixel_ratio:
                video.codec_context.sample_aspect_ratio = pixel_ratio
            if disposition is not None:
                video.disposition = disposition
            if rotation_deg or hflip:
                video.set_display_rotation(-rotation_deg, hflip=hflip)
        sound: Any = container.add_stream(_sound_codec(path), rate=8000) if audio_s else None
        if video is not None:
            for number, array in enumerate(frames):
                container.mux(video.encode(_picture(array, pix_fmt, number, stamps_ms)))
            container.mux(video.encode(None))
        if sound is not None:
            container.mux(sound.encode(_silence(audio_s)))
            container.mux(sound.encode(None))
    return path


def _sound_codec(path: Path) -> str:
    return "pcm_s16le" if path.suffix in {".avi", ".wav", ".mkv"} else "aac"


def _picture(array: UInt8Array, pix_fmt: str, number: int, stamps_ms: Sequence[int] | None) -> VideoFrame:
    picture = VideoFrame.from_ndarray(np.ascontiguousarray(array), format="rgb24").reformat(format=pix_fmt)
    picture.pts = number
    if stamps_ms is not None:
        picture.time_base, picture.pts = Fraction(1, 1000), stamps_ms[number]
    return picture


def _silence(seconds: float) -> AudioFrame:
    samples = np.zeros((1, int(8000 * seconds)), np.int16)
    chunk = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
    chunk.sample_rate = 8000
    return chunk


@pytest.fixture
def make_video(tmp_path: Path) -> MakeVideo:
    """Writes a video of the given name under the test's folder; see `write`."""

    def make(name: str, frames: UInt8Array | None = None, **kwargs: Any) -> Path:
        return write(tmp_path / name, frames, **kwargs)

    return make
