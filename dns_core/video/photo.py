"""Still pictures: screenshots and photographs to search with."""

import math
import warnings
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image, ImageOps, UnidentifiedImageError

from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.video.boxes import has_movie
from dns_core.video.container import MAX_FRAME_PIXELS, describe, file_head
from dns_core.video.decode import Sampling
from dns_core.video.picture import PictureScaler
from dns_core.video.probe import StreamFacts, stream_facts

PHOTO = "picture"
"""Stands for the codec in the facts of a still picture."""
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "TIFF")
# Formats of which a file may also be a film.
_MAY_MOVE = {"PNG", "WEBP", "AVIF"}
# Of a side, that a screenshot may have lost.
_MARGIN = 0.08
_HEIF_BRANDS = {b"heic", b"heix", b"mif1", b"heim", b"heis"}
_HEIF_OPTIONS = {"format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2", "protocol_whitelist": "file"}


def is_photo(path: Path) -> bool:
    """Whether a file is one picture and no film, by what it says of itself.

    Raises:
        VideoError: it cannot be read, or is empty.
    """
    if _is_heif(path):
        return True
    try:
        with _opened(path) as image:
            return not (image.format in _MAY_MOVE and getattr(image, "is_animated", False))
    except VideoError:
        return False


def read_photo(path: Path) -> UInt8Array:
    """A picture as it is looked at: upright, RGB ``[H, W, 3]``; what is transparent is white.

    Raises:
        VideoError: ``corrupt``, ``too_large``, ``not_a_video``, or why the file cannot be read.
    """
    if _is_heif(path):
        return _read_heif(path)
    try:
        with _opened(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            ground = Image.new("RGBA", upright.size, "white")
            return np.asarray(Image.alpha_composite(ground, upright).convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise _undecodable(path, error) from error


def stored_photo(path: Path) -> UInt8Array:
    """A picture as it is stored, RGB ``[H, W, 3]``: not turned, and of what is transparent the colour.

    Raises:
        VideoError: as `read_photo`.
    """
    if _is_heif(path):
        return _read_heif(path)
    try:
        with _opened(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise _undecodable(path, error) from error


def photo_views(image: UInt8Array, sampling: Sampling) -> UInt8Array:
    """Views ``[N, crop_px, crop_px, 3]`` of a picture RGB ``[H, W, 3]``; the first is cut as frames are.

    In the others its edges are drawn out, to all sides or away from a corner: a screenshot that was cropped
    then lies over the frame that it was taken from.
    """
    down, right = (math.ceil(_MARGIN * side) for side in image.shape[:2])
    margins = [((top, down - top), (left, right - left)) for top in (0, down) for left in (0, right)]
    margins.append(((down // 2, down // 2), (right // 2, right // 2)))
    framed = [image, *(np.pad(image, (*margin, (0, 0)), mode="edge") for margin in margins)]
    scaler = PictureScaler(1.0, sampling.threads)
    pictures = (VideoFrame.from_ndarray(view, format="rgb24") for view in framed)
    return np.stack([scaler.square(view, sampling.crop_px, sampling.resize_px) for view in pictures])


def query_facts(path: Path) -> StreamFacts:
    """As `stream_facts`, of a picture too: it lasts 0 s.

    Raises:
        VideoError: the file is neither a video nor a picture.
    """
    try:
        return stream_facts(path)
    except VideoError as error:
        if error.reason != "not_a_video" or not is_photo(path):
            raise
    return photo_facts(read_photo(path))


def photo_facts(image: UInt8Array) -> StreamFacts:
    """The facts of a picture ``[H, W, 3]``."""
    return StreamFacts(0.0, 0.0, image.shape[1], image.shape[0], PHOTO, 0)


def _opened(path: Path) -> Image.Image:
    file_head(path)
    try:
        with warnings.catch_warnings():  # how large a picture may be is decided here
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path, formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise VideoError("too_large", f"{path}: {error}") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise VideoError("not_a_video", f"{path} is no picture in a format known here") from error
    if image.width * image.height > MAX_FRAME_PIXELS:
        image.close()
        raise VideoError("too_large", f"{path} has more than {MAX_FRAME_PIXELS} px")
    return image


def _undecodable(path: Path, error: Exception) -> VideoError:
    return VideoError("corrupt", f"{path} is a picture that cannot be decoded: {error}")


def _is_heif(path: Path) -> bool:
    head = file_head(path)
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS and not has_movie(path)


def _read_heif(path: Path) -> UInt8Array:
    options = {**_HEIF_OPTIONS, "max_pixels": str(MAX_FRAME_PIXELS)}
    try:
        with av.open(f"file:{path.absolute()}", options=options) as container:
            streams = sorted(container.streams.video, key=lambda s: s.width * s.height, reverse=True)
            sizes = [(stream.width, stream.height) for stream in streams]
            if sizes[1:2] == sizes[:1]:
                raise VideoError(
                    "not_a_video",
                    f"{path} is a HEIC image of several tiles, which cannot be put together here",
                )
            picture = next(container.decode(streams[0]))
            return picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    except (av.FFmpegError, IndexError, StopIteration) as error:
        words = describe(error) if isinstance(error, av.FFmpegError) else "it holds no picture"
        raise VideoError("corrupt", f"{path} is a HEIC image that cannot be decoded: {words}") from error
