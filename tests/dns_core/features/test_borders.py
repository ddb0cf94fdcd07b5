"""Bars around pictures, and frames that show nothing."""

import numpy as np
import pytest
import torch

from dns_core.features.blank_frames import without_blank_frames
from dns_core.features.borders import without_borders
from dns_core.features.live_frames import is_blank
from dns_core.records import UInt8Array, VideoFeatures

SIDE = 96


def scene(n_frames: int = 4, rows: int = SIDE, columns: int = SIDE) -> UInt8Array:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (n_frames, 6, 6, 3), dtype=np.uint8)
    large = np.kron(coarse, np.ones((1, -(-rows // 6), -(-columns // 6), 1), dtype=np.uint8))
    return np.ascontiguousarray(large[:, :rows, :columns])


def barred(top: int, left: int, colour: int) -> UInt8Array:
    framed = np.full((4, SIDE, SIDE, 3), colour, dtype=np.uint8)
    inside = scene(rows=SIDE - 2 * top, columns=SIDE - 2 * left)
    framed[:, top : SIDE - top, left : SIDE - left] = inside
    return framed


@pytest.mark.parametrize("colour", [0, 255, 90])
@pytest.mark.parametrize(("top", "left"), [(12, 0), (0, 24), (10, 8)])
def test_bars_of_any_colour_are_cut_off(top: int, left: int, colour: int) -> None:
    framed = barred(top, left, colour)
    noise = np.random.default_rng(1).integers(-4, 5, framed.shape)
    found = without_borders((framed + noise).clip(0, 255).astype(np.uint8))
    inside = torch.from_numpy(framed[:, top : SIDE - top, left : SIDE - left]).permute(0, 3, 1, 2).float()
    expected = torch.nn.functional.interpolate(inside, (SIDE, SIDE), mode="bilinear", antialias=True)
    assert found.shape == framed.shape
    assert np.abs(found - expected.permute(0, 2, 3, 1).numpy()).mean() < 4


def test_what_has_no_bars_stays_as_it_is() -> None:
    pictures = scene()
    assert without_borders(pictures) is pictures
    bar_in_one = scene()
    bar_in_one[0, :12] = 0
    assert without_borders(bar_in_one) is bar_in_one


def test_a_dark_scene_is_no_bar() -> None:
    dark = np.zeros((4, SIDE, SIDE, 3), dtype=np.uint8)
    dark[:, 40:56, 40:56] = 200
    assert without_borders(dark) is dark


def test_frames_of_one_colour_are_blank() -> None:
    pictures = scene()
    noise = np.random.default_rng(1).integers(-2, 3, (SIDE, SIDE, 3))
    for frame, colour in enumerate((20, 235)):
        pictures[frame] = colour + noise
    assert is_blank(torch.from_numpy(pictures).permute(0, 3, 1, 2)).tolist() == [True, True, False, False]


def test_blank_frames_are_left_out_but_for_one() -> None:
    regions = np.ones((4, 9, 8), dtype=np.float32)
    regions[[0, 2]] = 0
    shown = without_blank_frames(VideoFeatures("v", regions, np.arange(4.0)))
    np.testing.assert_array_equal(shown.times_s, [1.0, 3.0])
    nothing = without_blank_frames(VideoFeatures("v", np.zeros_like(regions), np.arange(4.0)))
    assert nothing.n_frames == 1
    whole = VideoFeatures("v", np.ones_like(regions), np.arange(4.0))
    assert without_blank_frames(whole) is whole


def test_a_window_is_kept_only_while_the_whole_picture_is() -> None:
    regions = np.ones((6, 2, 4), dtype=np.float32)
    regions[2] = 0  # the last frame of the whole picture; the window still has it
    video = VideoFeatures("v", regions, np.array([0.0, 1, 2, 0, 1, 2]))
    assert without_blank_frames(video).times_s.tolist() == [0, 1, 0, 1]
