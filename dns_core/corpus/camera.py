"""A hand-held camera that looks at a picture: where it points, and what it records."""

from dataclasses import dataclass

import numpy as np

from dns_core.corpus.sources import Box
from dns_core.records import Float64Array, UInt8Array

ASPECT = 1.5
"""Width by height of what a camera sees; a video of another shape shows the middle of it."""


@dataclass(frozen=True, slots=True)
class Camera:
    """How one camera moves and exposes during one shot.

    Attributes:
        heading: unit vector of the pan.
        travel: share of the free range that the pan covers.
        aim: offset of the pan's middle from the scene's middle, as a share of the free range.
        zoom: share of the largest view that fits the scene, at the shot's start and end.
        roll_rad: turn at the start and end.
        keystone: how much the top (positive) or the bottom (negative) edge is shortened.
        shake: amplitude as a share of the view's width.
        phases: of the shake and the exposure drift.
        gain: red, green and blue.
        gamma: above 1 darkens.
        drift: amplitude of the slow change of exposure.
    """

    heading: tuple[float, float]
    travel: float
    aim: tuple[float, float]
    zoom: tuple[float, float]
    roll_rad: tuple[float, float]
    keystone: float
    shake: float
    phases: tuple[float, ...]
    gain: tuple[float, float, float]
    gamma: float
    drift: float


def draw_camera(rng: np.random.Generator) -> Camera:
    """A random camera; every two pass near the middle of their scene half-way through their shots."""
    angle, (warmth, tint), exposure = (
        rng.uniform(0, 2 * np.pi),
        rng.normal(0, 0.04, 2),
        rng.uniform(0.88, 1.1),
    )
    zoom, roll = rng.uniform(0.62, 0.97, 2), np.deg2rad(rng.normal(0, 2.0, 2))
    aim = rng.uniform(-0.12, 0.12, 2)
    return Camera(
        heading=(float(np.cos(angle)), float(np.sin(angle))),
        travel=float(rng.uniform(0.4, 0.95)),
        aim=(float(aim[0]), float(aim[1])),
        zoom=(float(zoom[0]), float(zoom[1])),
        roll_rad=(float(roll[0]), float(roll[1])),
        keystone=float(rng.uniform(-0.12, 0.12)),
        shake=float(rng.uniform(0.001, 0.006)),
        phases=tuple(rng.uniform(0, 2 * np.pi, 5).tolist()),
        gain=(float(exposure * (1 + warmth)), float(exposure * (1 + tint)), float(exposure * (1 - warmth))),
        gamma=float(rng.uniform(0.85, 1.2)),
        drift=float(rng.uniform(0.0, 0.05)),
    )


def views(camera: Camera, box_px: Box, times_s: Float64Array, duration_s: float) -> Float64Array:
    """``[T, 4, 2]`` corners (x, y; clockwise from top left) of what the camera sees; inside ``box_px``.

    Args:
        camera: the camera.
        box_px: left, top, right, bottom of the scene in the picture.
        times_s: ``[T]`` seconds since the shot began.
        duration_s: how long the shot lasts.
    """
    progress = times_s / duration_s
    ease = progress * progress * (3 - 2 * progress)
    roll = camera.roll_rad[0] + ease * (camera.roll_rad[1] - camera.roll_rad[0])
    zoom = camera.zoom[0] + ease * (camera.zoom[1] - camera.zoom[0])
    cos, sin = np.cos(roll), np.sin(roll)
    # Width of the largest turned rectangle whose bounding box fits the scene.
    bounds = np.stack([cos + abs(sin) / ASPECT, abs(sin) + cos / ASPECT], axis=-1)
    room = np.array([box_px[2] - box_px[0], box_px[3] - box_px[1]])
    width = (zoom * (room / bounds).min(axis=-1) / (1 + 4 * camera.shake))[:, None]
    swing = camera.travel * (ease[:, None] - 0.5) * np.array(camera.heading) + np.array(camera.aim)
    middle = np.array(box_px[:2]) + room / 2 + np.clip(swing, -0.5, 0.5) * (room - width * bounds)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / np.array([2, 2 * ASPECT])
    corners[:2, 0] *= 1 - max(camera.keystone, 0)
    corners[2:, 0] *= 1 + min(camera.keystone, 0)
    turn = np.stack([np.stack([cos, sin], axis=-1), np.stack([-sin, cos], axis=-1)], axis=-2)
    centres = (middle + _shake(camera, times_s) * width)[:, None]
    seen: Float64Array = np.clip(centres + width[..., None] * (corners @ turn), box_px[:2], box_px[2:])
    return seen


def coefficients(seen: Float64Array, size_px: tuple[int, int]) -> Float64Array:
    """``[T, 8]`` of Pillow's perspective transform: the middle of each quadrangle fills the frame.

    Args:
        seen: ``[T, 4, 2]`` as `views` gives them.
        size_px: width and height of the frame; what its shape cannot show of the view is left out.
    """
    width, height = size_px
    aspect = width / height
    shown = min(1.0, aspect / ASPECT), min(1.0, ASPECT / aspect)
    to_view = np.diag([shown[0] / width, shown[1] / height, 1.0])
    to_view[:2, 2] = (1 - shown[0]) / 2, (1 - shown[1]) / 2
    maps = _from_unit_square(seen) @ to_view
    return np.reshape(maps / maps[:, 2:, 2:], (-1, 9))[:, :8]


def exposures(camera: Camera, times_s: Float64Array) -> UInt8Array:
    """``[T, 768]`` look-up tables: 256 values each of red, green and blue."""
    breath = 1 + camera.drift * np.sin(2 * np.pi * 0.13 * times_s + camera.phases[4])
    curve = np.outer(camera.gain, (np.arange(256) / 255) ** camera.gamma * 255).ravel()
    return np.clip(np.outer(breath, curve), 0, 255).astype(np.uint8)


def _shake(camera: Camera, times_s: Float64Array) -> Float64Array:
    """``[T, 2]`` offset as a share of the view's width, at most 1.4 times ``camera.shake``."""
    slow, fast, p = 2 * np.pi * 0.8 * times_s, 2 * np.pi * 2.1 * times_s, camera.phases
    across = np.sin(slow + p[0]) + 0.4 * np.sin(fast + p[1])
    down = np.sin(slow * 1.2 + p[2]) + 0.4 * np.sin(fast + p[3])
    return camera.shake * np.stack([across, down], axis=-1)


def _from_unit_square(corners: Float64Array) -> Float64Array:
    """``[T, 3, 3]`` projective maps that take the unit square's corners to ``corners`` ``[T, 4, 2]``."""
    x, y = np.array([0.0, 1, 1, 0]), np.array([0.0, 0, 1, 1])
    u, v = corners[..., 0], corners[..., 1]
    zero, one = np.zeros_like(u), np.ones_like(u)
    x, y = x * one, y * one
    rows_u = np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=-1)
    rows_v = np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=-1)
    system, image = np.concatenate([rows_u, rows_v], axis=1), np.concatenate([u, v], axis=1)
    solved = np.linalg.solve(system, image[..., None])[..., 0]
    return np.concatenate([solved, one[:, :1]], axis=1).reshape(-1, 3, 3)
