"""The copy that is filmed off a screen by hand."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from dns_core.records import Float32Array, Float64Array, UInt8Array
from dns_core.video.clip import Clip
from dns_core.video.edits_strength import Strength, by_strength

# Room around the screen, as a share of its sides: more than pose and shake can ever reach.
_ROOM_SHARE = 0.5
_SHAKE_HZ = (0.3, 0.9, 2.3)
_FLICKER_HZ = 1.7


def camcorder(clip: Clip, rng: np.random.Generator, strength: Strength) -> UInt8Array:
    """Perspective, room, hand shake, moire, vignette, flicker and colour cast; size as before.

    The pose of the camera and the colour cast are drawn once. Shake, moire and flicker are smooth
    functions of time, so that the clip may be sampled at any rate.
    """
    height, width = clip.frames.shape[1:3]
    times_s = np.arange(clip.n_frames) / clip.fps
    shakes = _hand_shake(rng, times_s) * by_strength(strength, 0.004, 0.009, 0.016)
    pose = _pose(rng, strength)
    light = _Light.drawn(rng, strength, height, width)
    room, corner = _room(rng, height, width)
    filmed = np.empty_like(clip.frames)
    for frame, out, shake, time_s in zip(clip.frames, filmed, shakes, times_s, strict=True):
        room.paste(Image.fromarray(frame), corner)
        seen = room.transform(
            (width, height),
            Image.Transform.PERSPECTIVE,
            _perspective(_seen_corners(pose, shake) * (width, height) + corner, width, height),
            Image.Resampling.BILINEAR,
        )
        out[:] = np.clip(np.asarray(seen) * light.gain(float(time_s)), 0, 255)
    return filmed


@dataclass(frozen=True, slots=True)
class _Light:
    """How bright each pixel is filmed: vignette and colour cast [H, W, 3] and a moire that drifts."""

    steady: Float32Array
    moire_phase: Float32Array
    moire: float
    flicker: float

    @classmethod
    def drawn(cls, rng: np.random.Generator, strength: Strength, height: int, width: int) -> "_Light":
        rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        vignette = 1 - by_strength(strength, 0.1, 0.2, 0.32) * (rows**2 + columns**2)
        cast = 1 + rng.uniform(-1, 1, size=3) * by_strength(strength, 0.03, 0.07, 0.12)
        angle, waves = rng.uniform(0, 2 * np.pi), rng.uniform(25, 60)
        phase = (waves * (np.cos(angle) * rows + np.sin(angle) * columns)).astype(np.float32)
        exposure = rng.uniform(0.85, 1.1)
        steady = (exposure * vignette[..., None] * cast).astype(np.float32)
        return cls(
            steady, phase, by_strength(strength, 0.03, 0.06, 0.1), by_strength(strength, 0.01, 0.03, 0.05)
        )

    def gain(self, time_s: float) -> Float32Array:
        """Factor [H, W, 3] by which the picture at ``time_s`` is multiplied."""
        ripple = np.sin(self.moire_phase + np.float32(0.8 * time_s)) * np.float32(self.moire)
        pulse = self.flicker * np.sin(2 * np.pi * _FLICKER_HZ * time_s)
        gain: Float32Array = self.steady * (ripple + np.float32(1 + pulse))[..., None]
        return gain


def _hand_shake(rng: np.random.Generator, times_s: Float64Array) -> Float64Array:
    """Drift of the view [T, 2] along x and y: a sum of slow waves, within about [-2, 2]."""
    shake = np.zeros((len(times_s), 2))
    for number, hertz in enumerate(_SHAKE_HZ):
        phases = rng.uniform(0, 2 * np.pi, size=2)
        shake += np.sin(2 * np.pi * hertz * times_s[:, None] + phases) / (number + 1)
    return shake


def _pose(rng: np.random.Generator, strength: Strength) -> Float64Array:
    """Where the corners of the view lie on the screen [4, 2]: 0 and 1 are the screen's own corners."""
    zoom_out = by_strength(strength, 0.03, 0.08, 0.15) * rng.uniform(0.5, 1.0)
    tilt = by_strength(strength, 0.02, 0.05, 0.09)
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float64)
    pose: Float64Array = 0.5 + (corners - 0.5) * (1 + 2 * zoom_out) + rng.uniform(-tilt, tilt, size=(4, 2))
    return pose


def _seen_corners(pose: Float64Array, shake: Float64Array) -> Float64Array:
    return np.clip(pose + shake, -_ROOM_SHARE + 0.02, 1 + _ROOM_SHARE - 0.02)


def _room(rng: np.random.Generator, height: int, width: int) -> tuple[Image.Image, tuple[int, int]]:
    """A dim wall with a dark screen frame on it, and the corner at which the screen's picture begins."""
    left, top = max(1, round(_ROOM_SHARE * width)), max(1, round(_ROOM_SHARE * height))
    blotches = rng.integers(20, 110, size=(4, 4, 3), dtype=np.uint8)
    room = Image.fromarray(blotches).resize((width + 2 * left, height + 2 * top), Image.Resampling.BICUBIC)
    bezel = max(1, round(0.025 * min(height, width)))
    room.paste((12, 12, 14), (left - bezel, top - bezel, left + width + bezel, top + height + bezel))
    return room, (left, top)


def _perspective(corners: Float64Array, width: int, height: int) -> tuple[float, ...]:
    """Pillow's eight coefficients that show the quadrangle ``corners`` [4, 2] of the room as the view."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(((0, 0), (width, 0), (width, height), (0, height)), corners, strict=True):
        rows += [(x, y, 1, 0, 0, 0, -u * x, -u * y), (0, 0, 0, x, y, 1, -v * x, -v * y)]
        wanted += [u, v]
    return tuple(float(c) for c in np.linalg.solve(np.array(rows), np.array(wanted)))
