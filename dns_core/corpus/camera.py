"""A hand-held camera that looks at a picture: where it points, and what it records."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from dns_core.corpus.sources import Box
from dns_core.records import Float64Array, UInt8Array

ASPECT = 1.5
"""Width by height of what a camera sees; a video of another shape shows the middle of it."""

_SOFTEST_REDUCTION = 1.6


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


def view(camera: Camera, box_px: Box, time_s: float, progress: float) -> Float64Array:
    """``[4, 2]`` corners (x, y; clockwise from top left) of what the camera sees; inside ``box_px``.

    Args:
        camera: the camera.
        box_px: left, top, right, bottom of the scene in the picture.
        time_s: seconds since the shot began, for the shake.
        progress: share of the shot that has passed, in [0, 1].
    """
    left, top, right, bottom = box_px
    ease = progress * progress * (3 - 2 * progress)
    roll = camera.roll_rad[0] + ease * (camera.roll_rad[1] - camera.roll_rad[0])
    zoom = camera.zoom[0] + ease * (camera.zoom[1] - camera.zoom[0])
    cos, sin = np.cos(roll), np.sin(roll)
    # Width of the largest turned rectangle whose bounding box fits the scene.
    bounds = np.array([cos + abs(sin) / ASPECT, abs(sin) + cos / ASPECT])
    room = np.array([right - left, bottom - top], np.float64)
    width = zoom * float((room / bounds).min()) / (1 + 4 * camera.shake)
    free = room - width * bounds
    swing = camera.travel * (ease - 0.5) * np.array(camera.heading) + np.array(camera.aim)
    middle = np.array([left, top]) + room / 2 + np.clip(swing, -0.5, 0.5) * free
    corners = width / 2 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / np.array([1, ASPECT])
    corners[:2, 0] *= 1 - max(camera.keystone, 0)
    corners[2:, 0] *= 1 + min(camera.keystone, 0)
    turned: Float64Array = corners @ np.array([[cos, sin], [-sin, cos]])
    seen: Float64Array = middle + _shaken(camera, time_s) * width + turned
    return np.clip(seen, [left, top], [right, bottom])


def record(picture: Image.Image, seen: Float64Array, size_px: tuple[int, int], lut: list[int]) -> UInt8Array:
    """``[H, W, 3]``: the middle of the quadrangle ``seen``, in the shape of ``size_px`` (width, height)."""
    width, height = size_px
    aspect = width / height
    inset = np.array([max(0.0, 1 - aspect / ASPECT), max(0.0, 1 - ASPECT / aspect)]) / 2
    reduction = float(np.hypot(*(seen[1] - seen[0]))) / width
    if reduction > _SOFTEST_REDUCTION:  # bilinear sampling would leave out pixels and shimmer
        picture, seen = picture.reduce(2), seen / 2
    to_picture = _homography(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64), seen)
    corners = np.array([inset, [1 - inset[0], inset[1]], 1 - inset, [inset[0], 1 - inset[1]]])
    shown = np.column_stack([corners, np.ones(4)]) @ to_picture.T
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    coefficients = _homography(frame, shown[:, :2] / shown[:, 2:]).ravel()[:8].tolist()
    filmed = picture.transform(size_px, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR)
    return np.asarray(filmed.point(lut))


def exposure(camera: Camera, time_s: float) -> list[int]:
    """Look-up tables of red, green and blue, 256 values each, as `record` takes them."""
    breath = 1 + camera.drift * np.sin(2 * np.pi * 0.13 * time_s + camera.phases[4])
    curve = (np.arange(256) / 255) ** camera.gamma * 255 * breath
    tables = np.clip(np.outer(camera.gain, curve), 0, 255).astype(np.uint8)
    return [int(value) for value in tables.ravel()]


def _shaken(camera: Camera, time_s: float) -> Float64Array:
    slow, fast = 2 * np.pi * 0.8 * time_s, 2 * np.pi * 2.1 * time_s
    p = camera.phases
    return camera.shake * np.array(
        [
            np.sin(slow + p[0]) + 0.4 * np.sin(fast + p[1]),
            np.sin(slow * 1.2 + p[2]) + 0.4 * np.sin(fast + p[3]),
        ]
    )


def _homography(points: Float64Array, images: Float64Array) -> Float64Array:
    """``[3, 3]`` projective map that takes four points to four images."""
    (x, y), (u, v) = points.T, images.T
    zero, one = np.zeros(4), np.ones(4)
    rows = np.concatenate(
        [
            np.column_stack([x, y, one, zero, zero, zero, -u * x, -u * y]),
            np.column_stack([zero, zero, zero, x, y, one, -v * x, -v * y]),
        ]
    )
    return np.append(np.linalg.solve(rows, np.concatenate([u, v])), 1.0).reshape(3, 3)
