"""Shots: what one camera films of one scene."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from PIL import Image

from dns_core.corpus.camera import coefficients, draw_camera, exposures, views
from dns_core.corpus.footage import half_still, moving, picture_size, still
from dns_core.corpus.sources import SOURCES, Box, Scene, Source
from dns_core.records import Float64Array, UInt8Array

CORE = (0.35, 0.65)
"""Share of a shot that every video which uses the shot shows, so that any two such videos overlap."""

_SOFTEST_REDUCTION = 1.6


@dataclass(frozen=True, slots=True)
class Shot:
    """One camera's take of one scene: two videos that use it show the same footage.

    Attributes:
        shot_id: ``source/scene/take``.
        take: 0, 1, ...: another camera at the same place (and, in a clip, at the same moment).
        duration_s: length of the take; a clip's span is slowed to it.
        seed: of the camera.
    """

    shot_id: str
    source: str
    scene: str
    take: int
    duration_s: float
    seed: int


def film(shot: Shot, times_s: Float64Array, size_px: tuple[int, int]) -> UInt8Array:
    """``[T, H, W, 3]``: the shot at the given times.

    Args:
        shot: what to film.
        times_s: ``[T]`` seconds since the shot began, in [0, ``duration_s``].
        size_px: width and height.
    """
    source = SOURCES[shot.source]
    scene = next(s for s in source.scenes if s.name == shot.scene)
    camera = draw_camera(np.random.default_rng(shot.seed))
    box_px = _box_px(scene, picture_size(source, shot.take))
    seen = views(camera, box_px, times_s, shot.duration_s)
    halved = _is_much_reduced(views(camera, box_px, np.array([0, shot.duration_s]), shot.duration_s), size_px)
    maps, tables = coefficients(seen / 2 if halved else seen, size_px), exposures(camera, times_s)
    if source.kind == "clip":
        pictures = _moving_pictures(source, scene, shot, times_s)
        pictures = (picture.reduce(2) for picture in pictures) if halved else pictures
    else:
        pictures = repeat((half_still if halved else still)(source, shot.take), len(times_s))
    frames = np.empty((len(times_s), size_px[1], size_px[0], 3), np.uint8)
    for frame, picture, eight, table in zip(frames, pictures, maps.tolist(), tables.tolist(), strict=True):
        filmed = picture.transform(size_px, Image.Transform.PERSPECTIVE, eight, Image.Resampling.BILINEAR)
        frame[:] = np.asarray(filmed.point(table))
    return frames


def _is_much_reduced(seen: Float64Array, size_px: tuple[int, int]) -> bool:
    """Whether bilinear sampling would leave out pixels, and shimmer."""
    return bool(np.linalg.norm(seen[:, 1] - seen[:, 0], axis=-1).max() > _SOFTEST_REDUCTION * size_px[0])


def _moving_pictures(
    source: Source, scene: Scene, shot: Shot, times_s: Float64Array
) -> Iterator[Image.Image]:
    clip, (start_s, end_s) = moving(source, shot.take), scene.span_s
    # One frame of caution at the far end: the next may belong to the next scene.
    last = min(int(end_s * clip.fps + 1e-6), clip.n_frames) - 1
    for time_s in start_s + (end_s - start_s) / shot.duration_s * times_s:
        yield Image.fromarray(clip.frames[min(round(float(time_s) * clip.fps), last)])


def _box_px(scene: Scene, size_px: tuple[int, int]) -> Box:
    (width, height), (left, top, right, bottom) = size_px, scene.box
    return (left * width, top * height, right * width, bottom * height)
