"""Shots: what one camera films of one scene."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from dns_core.corpus.camera import draw_camera, exposure, record, view
from dns_core.corpus.footage import moving, still
from dns_core.corpus.sources import SOURCES, Box, Scene, Source
from dns_core.records import Float64Array, UInt8Array

CORE = (0.35, 0.65)
"""Share of a shot that every video which uses the shot shows, so that any two such videos overlap."""


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
    frames = np.empty((len(times_s), size_px[1], size_px[0], 3), np.uint8)
    for number, time_s in enumerate(times_s.tolist()):
        picture = _picture(source, scene, shot, time_s)
        seen = view(camera, _box_px(scene, picture.size), time_s, time_s / shot.duration_s)
        frames[number] = record(picture, seen, size_px, exposure(camera, time_s))
    return frames


def _picture(source: Source, scene: Scene, shot: Shot, time_s: float) -> Image.Image:
    if source.kind != "clip":
        return still(source, shot.take)
    clip = moving(source, shot.take)
    start_s, end_s = scene.span_s
    clip_time_s = start_s + (end_s - start_s) * time_s / shot.duration_s
    # Half a frame of caution on the far side: the next frame may belong to the next scene.
    number = min(round(clip_time_s * clip.fps), int(end_s * clip.fps + 1e-6) - 1, clip.n_frames - 1)
    return Image.fromarray(clip.frames[number])


def _box_px(scene: Scene, size_px: tuple[int, int]) -> Box:
    (width, height), (left, top, right, bottom) = size_px, scene.box
    return (left * width, top * height, right * width, bottom * height)
