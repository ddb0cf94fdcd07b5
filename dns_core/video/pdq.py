"""PDQ hashes of pictures and of frames, by the reference's own library and on the reference's pixels.

Of a video one frame a second is hashed, as vPDQ counts them: by the number of the frame and the average rate,
at the size in which it is stored, and not turned. So hashes can be exchanged with users of
``vpdq``, ``pdqhash`` or ``threatexchange``.

Reference: Facebook, The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm, 2019; vPDQ,
ThreatExchange, 2022.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter

from dns_core.records import UInt8Array
from dns_core.video.container import open_video
from dns_core.video.frames import timed_frames
from dns_core.video.photo import stored_photo
from dns_core.video.picture import rgb_array

Bits = UInt8Array
Hasher = Callable[[UInt8Array], tuple[Bits, int]]


@dataclass(frozen=True, slots=True)
class FrameHash:
    """The PDQ hash of a picture or of a frame.

    Attributes:
        hex: 64 digits, the highest bit first.
        quality: in [0, 100]; below 50 the picture is too plain to be told from others.
        time_s: of the frame.
        frame: its number.
    """

    hex: str
    quality: int = 100
    time_s: float = 0.0
    frame: int = 0


def pdq_hasher() -> Hasher:
    """``[256]`` bits in {0, 1} and the quality in [0, 100] of a picture ``[H, W, 3]``.

    Raises:
        ModuleNotFoundError: the package pdqhash is not installed.
    """
    return cast(Hasher, import_module("pdqhash").compute)


def photo_hash(path: Path) -> FrameHash:
    """The hash of a still picture, as it is stored: what a camera says of its turn does not count.

    Raises:
        VideoError: see `dns_core.video.photo.read_photo`.
    """
    return _hashed(pdq_hasher(), stored_photo(path))


def video_hashes(path: Path, every_s: float = 1.0) -> Iterator[FrameHash]:
    """The hashes of a video's frames.

    Args:
        path: the video.
        every_s: seconds between two of them, rounded down to whole frames, as vPDQ does.

    Raises:
        VideoError: see `dns_core.video.decode.decode_frames`.
    """
    compute, reformatter = pdq_hasher(), VideoReformatter()
    with open_video(path) as (container, stream):
        rate = float(stream.average_rate or stream.base_rate or 1)
        step = max(1, int(every_s * rate))
        for number, frame in enumerate(timed_frames(container, stream, path)):
            if number % step:
                continue
            picture = reformatter.reformat(
                frame.picture,
                format="rgb24",
                interpolation=Interpolation.AREA,
                src_colorspace=Colorspace.DEFAULT,
                dst_colorspace=Colorspace.DEFAULT,
            )
            # The reference divides in single precision.
            time_s = float(np.float32(number) / np.float32(rate))
            yield _hashed(compute, rgb_array(picture), time_s=time_s, frame=number)


def _hashed(compute: Hasher, picture: UInt8Array, **place: Any) -> FrameHash:
    bits, quality = compute(np.ascontiguousarray(picture))
    return FrameHash(np.packbits(bits).tobytes().hex(), int(quality), **place)
