"""Edits that show the clip together with another video."""

import numpy as np
from PIL import Image

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
    behind = _still(rng, clip) if other is None else _fitted(other, clip)
    behind = taken(behind, np.arange(clip.n_frames) % behind.n_frames)
    for shown, frame in zip(behind.frames, clip.frames, strict=True):
        window = Image.fromarray(frame).resize(size, Image.Resampling.BILINEAR)
        shown[top : top + size[1], left : left + size[0]] = np.asarray(window)
    other_times_s = None if other is None else behind.source_times_s
    return Clip(behind.frames, clip.fps, clip.source_times_s, other_times_s)


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
    host = _fitted(other, clip)
    place = round(host.n_frames * float(rng.uniform(0.2, 0.8)))
    elsewhere = np.full(host.n_frames, np.nan)
    return Clip(
        np.insert(host.frames, place, clip.frames[start : start + kept], axis=0),
        clip.fps,
        np.insert(elsewhere, place, clip.source_times_s[start : start + kept]),
        np.insert(host.source_times_s, place, np.full(kept, np.nan)),
    )


def _still(rng: np.random.Generator, clip: Clip) -> Clip:
    """One frame of soft blotches of the clip's size, which shows no video."""
    height, width = clip.frames.shape[1:3]
    blotches = Image.fromarray(rng.integers(256, size=(5, 5, 3), dtype=np.uint8))
    still = np.asarray(blotches.resize((width, height), Image.Resampling.BICUBIC))
    return Clip(still[None], clip.fps, np.array([np.nan]))


def _fitted(other: Clip, clip: Clip) -> Clip:
    """``other`` as it is seen at the clip's rate, scaled to cover the clip's frame and cut at the centre."""
    count = max(1, round(other.duration_s * clip.fps))
    order = np.floor(np.arange(count) * (other.fps / clip.fps)).astype(np.int64)
    rated = taken(other, np.minimum(order, other.n_frames - 1))
    (height, width), (rows, columns) = clip.frames.shape[1:3], other.frames.shape[1:3]
    if (rows, columns) == (height, width):
        return Clip(rated.frames, clip.fps, rated.source_times_s)
    scale = max(height / rows, width / columns)
    kept_x, kept_y = min(columns, width / scale), min(rows, height / scale)
    left, top = (columns - kept_x) / 2, (rows - kept_y) / 2
    box = (left, top, left + kept_x, top + kept_y)
    frames = each_image(rated.frames, lambda i: i.resize((width, height), Image.Resampling.BILINEAR, box))
    return Clip(frames, clip.fps, rated.source_times_s)
