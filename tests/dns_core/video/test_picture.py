"""The picture as a player shows it: turned, mirrored, of any size and shape of pixels."""

from fractions import Fraction

import numpy as np
import pytest

from dns_core.video import read_clip
from tests.dns_core.video.sampling import MakeVideo, sampled, still


def test_rotation_and_mirror_are_undone(make_video: MakeVideo) -> None:
    frames = still(3, 64, 96, 20)
    frames[:, :32, :48] = (230, 20, 20)  # red: top left as stored
    corners = {
        (0, False): (0, 0),
        (90, False): (0, 1),
        (180, False): (1, 1),
        (270, False): (1, 0),
        (0, True): (0, 1),
    }
    for (turn, mirror), red in corners.items():
        path = make_video(f"turn{turn}{mirror}.mp4", frames, rotation_deg=turn, hflip=mirror)
        shown = sampled(path, resize_px=32, crop_px=32)[1][0][4::24, 4::24, 0]
        assert tuple(int(v) for v in np.argwhere(shown > 150)[0]) == red, (turn, mirror)
        assert (shown > 150).sum() == 1
        assert read_clip(path).frames.shape[1:3] == ((96, 64) if turn in (90, 270) else (64, 96))


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (2, 2), (3, 5), (33, 17), (2, 64), (4000, 2), (8, 3000)]
)
def test_odd_tiny_and_extreme_sizes(make_video: MakeVideo, width: int, height: int) -> None:
    path = make_video("v.mov", still(2, height, width), codec="png", pix_fmt="rgb24")
    _, frames = sampled(path)
    assert frames.shape == (1, 24, 24, 3)
    assert np.abs(frames.astype(int) - 128).max() <= 2
    assert read_clip(path).frames.shape == (2, height, width, 3)


def test_the_middle_of_a_banner_is_kept(make_video: MakeVideo) -> None:
    frames = still(1, 4, 2000, 10)
    frames[:, :, 996:1004] = 240
    _, shown = sampled(make_video("v.mov", frames, codec="png", pix_fmt="rgb24"))
    assert shown.min() > 200  # 24 px of a height scaled from 4 to 32 px: the middle 3 columns


def test_pixels_that_are_not_square_are_stretched(make_video: MakeVideo) -> None:
    path = make_video("anamorphic.mp4", pixel_ratio=Fraction(2, 1))
    assert read_clip(path).frames.shape[1:3] == (48, 128)
    frames = still(1, 48, 64, 10)
    frames[:, :, 9:12] = 240  # shown 32 px wide, the middle 24 of which are kept: not before column 8
    narrow = make_video("narrow.mov", frames, codec="png", pix_fmt="rgb24", pixel_ratio=Fraction(1, 2))
    assert read_clip(narrow).frames.shape[1:3] == (48, 32)
    assert sampled(narrow)[1][0, :, :3].max() > 150


def test_a_very_wide_frame_is_never_scaled_whole(make_video: MakeVideo) -> None:
    # Scaled whole to a height of 256 px it would be 4 million px wide.
    frames = still(1, 2, 32000)
    path = make_video("v.mov", frames, codec="png", pix_fmt="rgb24")
    assert sampled(path, resize_px=256, crop_px=224)[1].shape == (1, 224, 224, 3)
