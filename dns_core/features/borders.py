"""Bars around a picture, found over time and cut off: letterbox, pillarbox, a frame of one colour."""

from collections.abc import Iterable

import numpy as np
from PIL import Image

from dns_core.records import UInt8Array

_LIKE = 10.0  # how far a bar's brightness may be from its middle one, on the scale [0, 255]
_SHARE = 0.98  # of a line's pixels, which lets compression and a small emblem pass
_LEAST_PICTURE = 0.3  # of a side: what leaves less is a dark scene and no bar


def without_borders(frames: UInt8Array) -> UInt8Array:
    """Pictures of one scene without their bars, stretched to the size that they had.

    A line belongs to a bar if it has one brightness in all pictures, and all lines beyond it do too. Pictures
    that would keep less than 30 % of a side are left as they are.

    Args:
        frames: ``[N, S, S, 3]``, N at least 1.
    """
    (top, bottom), (left, right) = (
        _picture(frames.swapaxes(1, 2) if turned else frames) for turned in (0, 1)
    )
    side = frames.shape[1]
    if (bottom - top, right - left) == (side, side):
        return frames
    inside = np.ascontiguousarray(frames[:, top:bottom, left:right])
    return np.stack([_stretched(frame, side) for frame in inside])


def _stretched(frame: UInt8Array, side: int) -> UInt8Array:
    return np.asarray(Image.fromarray(frame).resize((side, side), Image.Resampling.BILINEAR))


def _picture(frames: UInt8Array) -> tuple[int, int]:
    """First row of frames ``[N, H, W, 3]`` that is not of a bar, and the one after the last."""
    height = frames.shape[1]
    first = _first_shown(frames, range(height))
    last = _first_shown(frames, range(height - 1, first, -1)) if first is not None else None
    if first is None:
        return 0, height
    end = (first if last is None else last) + 1
    return (0, height) if end - first < _LEAST_PICTURE * height else (first, end)


def _first_shown(frames: UInt8Array, rows: Iterable[int]) -> int | None:
    """The first of some rows that is not of a bar: mostly the very first, and no other is looked at."""
    return next((row for row in rows if not _is_plain(frames[:, row])), None)


def _is_plain(pixels: UInt8Array) -> bool:
    """Whether pixels ``[N, W, 3]`` have one brightness."""
    light = pixels.reshape(-1, 3).sum(axis=1, dtype=np.float32) / 3
    place = (len(light) - 1) // 2
    middle = np.partition(light, place)[place]
    return bool((np.abs(light - middle) <= _LIKE).mean() >= _SHARE)
