"""A picture is laid over the frame that it was taken from."""

import numpy as np
import pytest
from PIL import Image

from dns_core.records import Float32Array
from dns_core.video.registration import place

SIDE = 160


def _texture(seed: int) -> Float32Array:
    coarse = np.random.default_rng(seed).uniform(0, 255, (20, 20)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _film() -> Float32Array:
    """The same picture eight times, with a bright spot that wanders through it."""
    frames = np.repeat(_texture(1)[None], 8, axis=0)
    for number, frame in enumerate(frames):
        frame[60:72, 20 + 12 * number : 32 + 12 * number] = 255
    return frames


def _cut(frame: Float32Array, top: int, left: int, height: int, width: int) -> Float32Array:
    part = Image.fromarray(np.ascontiguousarray(frame[top : top + height, left : left + width]))
    return np.asarray(part.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


@pytest.mark.parametrize("frame", [0, 3, 7])
@pytest.mark.parametrize("box", [(0, 0, 160, 160), (5, 9, 144, 144), (16, 10, 120, 144), (0, 20, 152, 108)])
def test_a_cropped_picture_fits_its_own_frame(frame: int, box: tuple[int, int, int, int]) -> None:
    frames = _film()
    picture = _cut(frames[frame], *box) * 0.8 + 20
    found = place(picture, frames, ratio=box[3] / box[2], likely=[1, 5])
    assert found is not None
    assert found.frame == frame
    assert found.correlation > 0.97
    assert found.scale == pytest.approx(max(box[2:]) / SIDE, abs=0.02)


def test_another_picture_fits_badly() -> None:
    found = place(_texture(2), _film(), ratio=1.0, likely=range(8))
    assert found is not None
    assert found.correlation < 0.6


def test_pictures_of_one_colour_fit_nowhere() -> None:
    grey = np.full((SIDE, SIDE), 128, dtype=np.float32)
    for picture, frames in ((grey, _film()), (_texture(1), grey[None])):
        found = place(picture, frames, ratio=1.0, likely=[0])
        assert found is not None
        assert abs(found.correlation) < 0.1


def test_a_strip_cannot_be_placed() -> None:
    assert place(_texture(1), _film(), ratio=100.0, likely=[0]) is None
