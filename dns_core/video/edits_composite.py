"""Edits that show the clip together with another video."""

import numpy as np
from PIL import Image

from dns_core.records import UInt8Array
from dns_core.video.clip import Clip
from dns_core.video.edits_spatial import each_image
from dns_core.video.edits_strength import Strength, by_strength
from dns_core.video.edits_temporal import taken


def picture_in_picture(clip: Clip, rng: np.random.Generator, strength: Strength, other: Clip | None) -> Clip:
    """The clip in a window of 80, 60 or 42 % of either side, over ``other`` or over a still background.

    Size, rate and length are the clip's; ``other`` is repeated if it is shorter.
    """
    height, width = clip.frames.shape[1:3]
    share = by_strength(strength, 0.8, 0.6, 0.42)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    left, top = int(rng.integers(width - size[0] + 1)), int(rng.integers(height - size[1] + 1))
    behind = _behind(clip, other, rng)
    composed = np.empty_like(clip.frames)
    for number, frame in enumerate(clip.frames):
        composed[number] = behind[number % len(behind)]
        window = Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)
        composed[number, top : top + size[1], left : left + size[0]] = np.asarray(window)
    return Clip(composed, clip.fps, clip.source_times_s.copy())


def insert(clip: Clip, rng: np.random.Generator, strength: Strength, other: Clip | None) -> Clip:
    """An excerpt of 90, 55 or 30 % of the clip, shown in the middle of ``other``.

    ``other`` is cropped to the clip's shape and size and brought to its rate; where it is shown the
    source time is nan.

    Raises:
        ValueError: there is no ``other`` to insert the clip into.
    """
    if other is None:
        raise ValueError("insert needs another clip")
    kept = max(1, round(clip.n_frames * by_strength(strength, 0.9, 0.55, 0.3)))
    start = int(rng.integers(clip.n_frames - kept + 1))
    excerpt = taken(clip, np.arange(start, start + kept))
    host = _at_size(_at_rate(other, clip.fps), *clip.frames.shape[1:3])
    place = round(len(host) * float(rng.uniform(0.2, 0.8)))
    elsewhere = np.full(len(host), np.nan)
    return Clip(
        np.concatenate([host[:place], excerpt.frames, host[place:]]),
        clip.fps,
        np.concatenate([elsewhere[:place], excerpt.source_times_s, elsewhere[place:]]),
    )


def _behind(clip: Clip, other: Clip | None, rng: np.random.Generator) -> UInt8Array:
    height, width = clip.frames.shape[1:3]
    if other is None:
        blotches = Image.fromarray(rng.integers(256, size=(5, 5, 3), dtype=np.uint8))
        return np.asarray(blotches.resize((width, height), Image.Resampling.BICUBIC))[None]
    rated = _at_rate(other, clip.fps)
    return _at_size(rated[: clip.n_frames], height, width)


def _at_rate(clip: Clip, fps: float) -> UInt8Array:
    """The clip's frames as they are seen when looked at ``fps`` times a second, at least one."""
    count = max(1, round(clip.duration_s * fps))
    order = np.floor(np.arange(count) * (clip.fps / fps)).astype(np.int64)
    seen: UInt8Array = clip.frames[np.minimum(order, clip.n_frames - 1)]
    return seen


def _at_size(frames: UInt8Array, height: int, width: int) -> UInt8Array:
    """Frames scaled to cover ``height`` x ``width`` px, cut at the centre."""
    rows, columns = frames.shape[1:3]
    if (rows, columns) == (height, width):
        return frames
    scale = max(height / rows, width / columns)
    kept_x, kept_y = min(columns, width / scale), min(rows, height / scale)
    left, top = (columns - kept_x) / 2, (rows - kept_y) / 2
    box = (left, top, left + kept_x, top + kept_y)
    return each_image(frames, lambda image: image.resize((width, height), Image.Resampling.BILINEAR, box=box))
