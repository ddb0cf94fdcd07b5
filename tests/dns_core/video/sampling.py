"""Frames as `decode_frames` samples them, and pictures to sample."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from dns_core.records import Float64Array, UInt8Array
from dns_core.video import Sampling, decode_frames

MakeVideo = Callable[..., Path]


def sampled(path: Path, **sampling: float) -> tuple[Float64Array, UInt8Array]:
    options = {"fps": 5.0, "resize_px": 32, "crop_px": 24, "threads": 1, **sampling}
    chunks = list(decode_frames(path, Sampling(**options)))  # type: ignore[arg-type]
    return np.concatenate([c.times_s for c in chunks]), np.concatenate([c.frames for c in chunks])


def still(n_frames: int, height: int, width: int, value: int = 128) -> UInt8Array:
    return np.full((n_frames, height, width, 3), value, np.uint8)
