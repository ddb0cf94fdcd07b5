"""video/: the frames that the reference takes from clips, by time instead of by count."""

from typing import Any

import numpy as np
import pytest

from dns_core.errors import VideoError
from dns_core.video.decode import Sampling, decode_frames
from tests.oracles.parity_rule import sha256
from tests.oracles.reference_files import PARITY, arrays, figures

CLIPS = ("25fps", "2997fps", "12fps")
FACTS, FRAMES = figures("video/video.json"), arrays("video/frames.npz")


def frames(clip: str, **sampling: Any) -> Any:
    chunks = decode_frames(PARITY / "video" / f"{clip}.mp4", Sampling(threads=1, **sampling))
    return np.concatenate([chunk.frames for chunk in chunks])


@pytest.mark.parametrize("clip", CLIPS)
def test_one_frame_a_second_is_the_same_picture(clip: str) -> None:
    found = frames(clip, fps=1, resize_px=80, crop_px=64).astype(int)
    expected = FRAMES[f"{clip}/cc64_rs80"]
    assert found.shape == expected.shape
    # Another scaler, the same frames: other frames differ ten times as much.
    assert np.abs(found - expected).mean() < 2
    assert np.abs(found - np.roll(expected, 1, axis=0)).mean() > 10


@pytest.mark.parametrize("clip", CLIPS)
def test_the_size_that_networks_see(clip: str) -> None:
    found = frames(clip, fps=1, resize_px=256, crop_px=224)
    assert list(found.shape) == FACTS[clip]["cc224_rs256"]
    assert found.mean() == pytest.approx(FACTS[clip]["cc224_rs256_mean"], abs=1.5)


@pytest.mark.parametrize("clip", CLIPS)
def test_the_recorded_frames_are_those_that_were_hashed(clip: str) -> None:
    default = FRAMES[f"{clip}/default"]
    assert list(default.shape) == FACTS[clip]["default"]
    assert sha256(default) == FACTS[clip]["default_sha"]


@pytest.mark.parametrize("clip", CLIPS)
def test_two_frames_a_second_by_time(clip: str) -> None:
    # The reference counts frames: round(12 / 2) fits, round(29.97 / 2) = 15 too.
    assert abs(len(frames(clip, fps=2, resize_px=80, crop_px=64)) - FACTS[clip]["fps2"]) <= 1


def test_what_stops_the_reference_is_a_named_error_or_works() -> None:
    assert FACTS["fps=0.4 fractional"].startswith("ZeroDivisionError")
    assert len(frames("12fps", fps=0.4, resize_px=80, crop_px=64)) == 2
    assert FACTS["missing file cc"].startswith("IndexError")
    with pytest.raises(VideoError, match="missing"):
        frames("absent", fps=1, resize_px=80, crop_px=64)
