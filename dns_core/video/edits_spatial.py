"""Edits of what each frame shows; one frame in, one frame out, at any frame rate.

Parameters are drawn once a clip: a copy has one crop, one logo, one colour cast. Lengths are shares of
the frame's sides, so a strength means the same at any size.
"""

from collections.abc import Callable
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from PIL import Image, ImageFilter

from dns_core.records import UInt8Array
from dns_core.video.edits_strength import Strength, by_strength, either_way

_LUMA = (0.299, 0.587, 0.114)
_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))


def crop(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """A window of 90, 75 or 55 % of either side, at one place."""
    share = by_strength(strength, 0.9, 0.75, 0.55)
    height, width = (max(1, round(side * share)) for side in frames.shape[1:3])
    top = int(rng.integers(frames.shape[1] - height + 1))
    left = int(rng.integers(frames.shape[2] - width + 1))
    return frames[:, top : top + height, left : left + width].copy()


def flip(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:  # noqa: ARG001
    """Mirrored left to right; alike at every strength."""
    return np.ascontiguousarray(frames[:, :, ::-1])


def aspect(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Stretched to another aspect ratio: by 4/3, 16/9 or (16/9)^2, wider or narrower.

    The factors lead from 16:9 to 4:3, to a square and to 9:16. The side that shrinks is scaled down.
    """
    factor = by_strength(strength, 4 / 3, 16 / 9, 256 / 81)
    height, width = frames.shape[1:3]
    # A turn from 16:9 to 9:16 shortens the longer side; the other way round the picture would be a strip.
    narrower = bool(rng.random() < 0.5) if strength != "strong" else width > height
    size = (max(1, round(width / factor)), height) if narrower else (width, max(1, round(height / factor)))
    return each_image(frames, lambda image: image.resize(size, Image.Resampling.BILINEAR))


def scale_down(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:  # noqa: ARG001
    """Scaled to a shorter side of 128, 64 or 32 px and kept that small; smaller frames stay as they are."""
    height, width = frames.shape[1:3]
    scale = by_strength(strength, 128, 64, 32) / min(height, width)
    if scale >= 1:
        return frames.copy()
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return each_image(frames, lambda image: image.resize(size, Image.Resampling.BILINEAR))


def blur(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Gaussian blur with a radius of about 0.6, 1.4 or 2.8 % of the shorter side."""
    share = by_strength(strength, 0.006, 0.014, 0.028) * rng.uniform(0.8, 1.2)
    blurring = ImageFilter.GaussianBlur(share * min(frames.shape[1:3]))
    return each_image(frames, lambda image: image.filter(blurring))


def noise(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Gaussian noise of about 6, 14 or 28 grey levels, new in every frame."""
    sigma = by_strength(strength, 6.0, 14.0, 28.0) * rng.uniform(0.8, 1.2)
    height, width = frames.shape[1:3]
    # One large field, read from another place for each frame: drawing afresh costs ten times as much.
    spare = 64
    field = (rng.standard_normal((height + spare, width + spare, 3), np.float32) * sigma).astype(np.int16)
    places = rng.integers(spare, size=(len(frames), 2))
    noisy = np.empty_like(frames)
    for frame, out, (top, left) in zip(frames, noisy, places, strict=True):
        out[:] = np.clip(field[top : top + height, left : left + width] + frame, 0, 255)
    return noisy


def colour(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Another brightness, contrast, saturation and tint."""
    saturation = 1 + either_way(rng, by_strength(strength, 0.2, 0.4, 0.6))
    contrast = 1 + either_way(rng, by_strength(strength, 0.1, 0.2, 0.35))
    brightness = either_way(rng, by_strength(strength, 10.0, 24.0, 40.0))
    most_tint = by_strength(strength, 0.03, 0.08, 0.15)
    tint = 1 + rng.uniform(-most_tint, most_tint, size=(3, 1))
    matrix = (saturation * np.eye(3) + (1 - saturation) * np.array([_LUMA] * 3)) * contrast * tint
    return _recoloured(frames, matrix, 128 * (1 - contrast) + brightness)


def sepia(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:  # noqa: ARG001
    """Browned like an old photograph, by 60, 85 or 100 %."""
    share = by_strength(strength, 0.6, 0.85, 1.0)
    return _recoloured(frames, share * np.array(_SEPIA) + (1 - share) * np.eye(3), 0.0)


def grey(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:  # noqa: ARG001
    """Nearly grey, grey, or grey with hard contrast."""
    share = by_strength(strength, 0.8, 1.0, 1.0)
    contrast = by_strength(strength, 1.0, 1.0, 1.5)
    matrix = share * np.array([_LUMA] * 3) + (1 - share) * np.eye(3)
    return _recoloured(frames, matrix * contrast, 128 * (1 - contrast))


def reencode(frames: UInt8Array, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Through H.264 at a low, very low or barely watchable bitrate; same size and number of frames."""
    crf = int(by_strength(strength, 36, 43, 49) + rng.integers(-2, 3))
    height, width = frames.shape[1:3]
    padded = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    encoder, decoder = _h264_pair(padded.shape[2], padded.shape[1], crf)
    coded = np.empty_like(frames)
    count = 0
    for number in range(len(padded) + 1):
        for packet in encoder.encode(_yuv(padded[number], number) if number < len(padded) else None):
            for picture in decoder.decode(packet):
                coded[count] = picture.to_ndarray(format="rgb24")[:height, :width]
                count += 1
    for picture in decoder.decode(None):
        coded[count] = picture.to_ndarray(format="rgb24")[:height, :width]
        count += 1
    if count != len(frames):
        raise RuntimeError(f"H.264 gave back {count} of {len(frames)} frames")
    return coded


def each_image(frames: UInt8Array, edit: Callable[[Image.Image], Image.Image]) -> UInt8Array:
    """``edit`` applied to every frame; all results must have one size."""
    return np.stack([np.asarray(edit(Image.fromarray(frame))) for frame in frames])


def _recoloured(frames: UInt8Array, matrix: npt.NDArray[np.float64], offset: float) -> UInt8Array:
    """``matrix`` [3, 3] times each pixel, plus ``offset``, clipped to [0, 255]."""
    rows = tuple(float(v) for row in matrix for v in (*row, offset))
    return each_image(frames, lambda image: image.convert("RGB", rows))


def _h264_pair(width: int, height: int, crf: int) -> tuple[VideoCodecContext, VideoCodecContext]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.framerate = Fraction(25)
    # x264's result depends on the number of its threads; and its macroblock tree, measured with
    # AVX-512 and frames of about 50 px, differs from run to run.
    encoder.thread_count = 1
    encoder.options = {"preset": "superfast", "crf": str(crf), "x264-params": "mbtree=0"}
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    return encoder, decoder


def _yuv(frame: UInt8Array, number: int) -> VideoFrame:
    picture = VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(format="yuv420p")
    picture.pts = number
    return picture
