"""Where a picture lies in frames that may show the same: by the correlation of their brightness.

A screenshot is often scaled and cut at its edges. Descriptors of regions tell its video from others, but
hardly one moment of a calm shot from the next; its pixels, laid over those of each frame, do.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from PIL import Image

from dns_core.records import Float32Array, Float64Array

# Shares of the frame that a picture may show; a picture that shows less is left where it is.
_SMALLEST, _STEP = 0.5, 0.02
_FINE_STEP = 0.004
_LEAST_PX = 8
# Under so much variance of a pixel, what is seen is noise.
_NOISE = 1e-2
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """The frame that a picture fits best.

    Attributes:
        frame: row of the frame.
        correlation: of the picture with the part of the frame under it, in [-1, 1].
        scale: share of the frame that the picture shows, along the side on which it shows more.
    """

    frame: int
    correlation: float
    scale: float


def place(
    picture: Float32Array, frames: Float32Array, *, ratio: float, likely: Sequence[int]
) -> Placement | None:
    """Where a picture fits best among frames; None if it shows less of each than can be told.

    Args:
        picture: ``[S, S]`` luma, the whole picture squashed to a square.
        frames: ``[N, S, S]`` luma, whole frames squashed likewise.
        ratio: width to height of the picture, divided by that of the frames.
        likely: rows of frames to try first; they determine how much of a frame the picture shows.
    """
    rows = np.asarray(likely)
    small = frames[rows, ::2, ::2]
    found = _best(picture, small, ratio, np.arange(_SMALLEST, 1.0 + _STEP / 2, _STEP))
    if found is None:
        return None
    row = int(rows[found.frame])
    for _ in range(_ROUNDS):
        scales = found.scale + _FINE_STEP * np.arange(-4, 5)
        near = _best(picture, frames[row : row + 1], ratio, scales[scales < 1.0 + _FINE_STEP / 2])
        found = _best(picture, frames, ratio, [near.scale if near else found.scale])
        if found is None or found.frame == row:
            break
        row = found.frame
    return found


def _best(
    picture: Float32Array, frames: Float32Array, ratio: float, scales: Iterable[float]
) -> Placement | None:
    best: Placement | None = None
    for scale in scales:
        template = _scaled(picture, min(scale, 1.0), ratio, frames.shape[-1])
        if template is None:
            continue
        by_frame = _correlations(frames, template).max(axis=(1, 2))
        frame = int(by_frame.argmax())
        if best is None or by_frame[frame] > best.correlation:
            best = Placement(frame, float(by_frame[frame]), float(scale))
    return best


def _scaled(picture: Float32Array, scale: float, ratio: float, side_px: int) -> Float32Array | None:
    width, height = (round(scale * share * side_px) for share in (min(1.0, ratio), min(1.0, 1 / ratio)))
    if min(width, height) < _LEAST_PX:
        return None
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


def _correlations(frames: Float32Array, template: Float32Array) -> Float64Array:
    """Pearson's r ``[N, H - h + 1, W - w + 1]`` of a template ``[h, w]`` with parts of ``[N, H, W]``."""
    size, (height, width) = frames.shape[1:], template.shape
    centred = template - template.mean()
    spectrum = np.fft.rfft2(frames) * np.fft.rfft2(centred[::-1, ::-1], s=size)
    products = np.fft.irfft2(spectrum, s=size)[:, height - 1 :, width - 1 :]
    sums, squares = (_window_sums(values, height, width) for values in (frames, frames**2))
    floor = _NOISE * centred.size
    variance = np.maximum(squares - sums**2 / centred.size, floor)
    scale = np.sqrt(variance * max(float((centred**2).sum()), floor))
    return cast("Float64Array", products / scale)


def _window_sums(values: Float32Array, height: int, width: int) -> Float64Array:
    sums = np.pad(values.cumsum(1, dtype=np.float64).cumsum(2), ((0, 0), (1, 0), (1, 0)))
    rows = sums[:, :, width:] - sums[:, :, :-width]
    return cast("Float64Array", rows[:, height:] - rows[:, :-height])
