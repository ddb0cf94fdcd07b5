"""A decoded picture as the RGB array a viewer would see: upright, square pixels, scaled, cropped."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream

from dns_core.records import UInt8Array

# Beyond this ratio of the sides a frame is cropped before it is scaled: a 10,000 x 2 banner scaled to
# a shorter side of 256 would otherwise need 983 MB for the 224 columns that are kept.
_MAX_SCALED_RATIO = 8.0
_MAX_PIXEL_RATIO = 10.0
# So that processors of other makes round alike.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.BITEXACT


@dataclass(frozen=True, slots=True)
class Orientation:
    """How to turn a stored picture so that it stands as the camera was held.

    Attributes:
        transposed: rows become columns (before the mirrors).
        mirror_x: then columns are reversed.
        mirror_y: then rows are reversed.
        rotation_deg: the clockwise turn that this amounts to: 0, 90, 180 or 270.
    """

    transposed: bool = False
    mirror_x: bool = False
    mirror_y: bool = False
    rotation_deg: int = 0

    def upright(self, image: UInt8Array) -> UInt8Array:
        """A view of ``image`` [H, W, 3] as it should be displayed."""
        if self.transposed:
            image = image.transpose(1, 0, 2)
        if self.mirror_x:
            image = image[:, ::-1]
        return image[::-1] if self.mirror_y else image


def orientation(picture: VideoFrame) -> Orientation:
    """The display matrix of a picture, rounded to quarter turns; upright if it has none."""
    a, b, c, d = _display_matrix(picture)
    turn_deg = round(math.degrees(math.atan2(b, a)) / 90) * 90 % 360
    if abs(b) > abs(a):
        return Orientation(True, c < 0, b < 0, turn_deg)
    return Orientation(False, a < 0, d < 0, turn_deg)


def _display_matrix(picture: VideoFrame) -> tuple[float, float, float, float]:
    """(a, b, c, d): a stored pixel (p right, q down) is shown at x = a p + c q, y = b p + d q."""
    try:
        side_data = cast(SideDataContainer, picture.side_data)  # the stubs know one key only
        data = side_data[SideDataType.DISPLAYMATRIX]
    except KeyError:
        return 1.0, 0.0, 0.0, 1.0
    except ValueError:
        # PyAV cannot list side data while one entry is of a kind it does not know (the second view of
        # a spatial video, for one); the turn without the mirror can still be asked for.
        turn = math.radians(-picture.rotation)
        return math.cos(turn), math.sin(turn), -math.sin(turn), math.cos(turn)
    a, b, _, c, d = (float(v) for v in np.frombuffer(bytes(data), dtype=np.int32)[:5])
    return a, b, c, d


def displayed_size(picture: VideoFrame, pixel_ratio: float) -> tuple[int, int]:
    """Width and height in px as displayed, after square pixels and rotation."""
    width, height = max(1, round(picture.width * pixel_ratio)), picture.height
    return (height, width) if orientation(picture).transposed else (width, height)


def pixel_ratio(stream: VideoStream) -> float:
    """Width of a pixel over its height; 1 if the container does not say or says nonsense."""
    ratio = stream.sample_aspect_ratio
    if ratio is None or not 1 / _MAX_PIXEL_RATIO <= ratio <= _MAX_PIXEL_RATIO:
        return 1.0
    return float(ratio)


class PictureScaler:
    """Scales pictures of one stream; keeps the scaler's tables between frames.

    Args:
        ratio: of the stream's pixels, see `pixel_ratio`.
        threads: of the scaler; 0 leaves the number to FFmpeg.
    """

    def __init__(self, ratio: float, threads: int) -> None:
        self._ratio = ratio
        self._threads = threads
        self._reformatter = VideoReformatter()

    def fitted(self, picture: VideoFrame, width: int, height: int) -> UInt8Array:
        """``picture`` upright and stretched to ``height`` x ``width`` px, RGB [H, W, 3]."""
        turn = orientation(picture)
        if turn.transposed:
            width, height = height, width
        return np.ascontiguousarray(turn.upright(self._scaled(picture, width, height)))

    def square(self, picture: VideoFrame, side_px: int, resize_px: int | None) -> UInt8Array:
        """``picture`` upright as a square: squashed whole, or the centre of a scaled one (see `cropped`)."""
        if resize_px is None:
            return self.fitted(picture, side_px, side_px)
        return self.cropped(picture, resize_px, side_px)

    def cropped(self, picture: VideoFrame, resize_px: int, crop_px: int) -> UInt8Array:
        """``picture`` upright, its shorter side scaled to ``resize_px``, the centre square of ``crop_px``."""
        turn = orientation(picture)
        width, height = picture.width * self._ratio, float(picture.height)
        longest = _MAX_SCALED_RATIO * min(width, height)
        if max(width, height) > longest:
            picture = _centre_of(picture, min(width, longest) / self._ratio, min(height, longest))
            width, height = picture.width * self._ratio, float(picture.height)
        scale = resize_px / min(width, height)
        image = self._scaled(
            picture, max(resize_px, round(width * scale)), max(resize_px, round(height * scale))
        )
        return np.ascontiguousarray(turn.upright(centre_crop(image, crop_px)))

    def _scaled(self, picture: VideoFrame, width: int, height: int) -> UInt8Array:
        scaled = self._reformatter.reformat(
            picture, width, height, "rgb24", interpolation=_EXACT, threads=self._threads
        )
        return rgb_array(scaled)


def centre_crop(image: UInt8Array, side_px: int) -> UInt8Array:
    """A view of the centre square of ``image`` [..., H, W, 3]; a side shorter than ``side_px`` is kept."""
    height, width = image.shape[-3:-1]
    top, left = max(0, (height - side_px) // 2), max(0, (width - side_px) // 2)
    return image[..., top : top + side_px, left : left + side_px, :]


def _centre_of(picture: VideoFrame, width: float, height: float) -> VideoFrame:
    image = rgb_array(picture.reformat(format="rgb24"))
    columns, rows = max(1, round(width)), max(1, round(height))
    top, left = (image.shape[0] - rows) // 2, (image.shape[1] - columns) // 2
    part = np.ascontiguousarray(image[top : top + rows, left : left + columns])
    return VideoFrame.from_ndarray(part, format="rgb24")


def rgb_array(picture: VideoFrame) -> UInt8Array:
    """The pixels ``[H, W, 3]`` of a picture in the format ``rgb24``."""
    return picture.to_ndarray().astype(np.uint8, copy=False)
