"""Pictures neither sampled nor referred to are not decoded; what is sampled stays the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.records import Float64Array, UInt8Array
from dns_core.video import Sampling, clock, decode_frames, frames

MakeVideo = Callable[..., Path]
B_PICTURES = {"bf": "3", "g": "40", "preset": "veryfast"}
WITH_REORDERING = [
    ("a.mp4", {"options": B_PICTURES}),
    ("pyramid.mkv", {"options": {**B_PICTURES, "bf": "8", "b_strategy": "0", "b-pyramid": "normal"}}),
    ("open.ts", {"options": {**B_PICTURES, "x264-params": "open-gop=1:keyint=12"}}),
    ("mpeg4.mp4", {"codec": "mpeg4", "options": {"bf": "2"}}),
    ("mpeg2.ts", {"codec": "mpeg2video", "options": {"bf": "2"}}),
]


@pytest.fixture
def moving() -> UInt8Array:
    """Eight seconds of noise that drifts, each frame unlike the others."""
    ground = np.random.default_rng(0).integers(0, 255, (48, 264, 3), dtype=np.uint8)
    return np.stack([ground[:, n : n + 64] for n in range(200)])


def sampled(path: Path, fps: float, **window: float) -> tuple[Float64Array, UInt8Array]:
    sampling = Sampling(fps=fps, resize_px=48, crop_px=48)
    chunks = list(decode_frames(path, sampling, **window))
    return np.concatenate([c.times_s for c in chunks]), np.concatenate([c.frames for c in chunks])


def sampled_of_all(path: Path, fps: float, **window: float) -> tuple[Float64Array, UInt8Array]:
    """As `sampled`, with every picture decoded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "_SPARING_CODECS", frozenset())
        return sampled(path, fps, **window)


@pytest.mark.parametrize(("name", "options"), WITH_REORDERING)
@pytest.mark.parametrize("fps", [0.5, 1, 2, 5])
def test_what_is_sampled_is_the_same(
    make_video: MakeVideo, moving: UInt8Array, name: str, options: dict[str, Any], fps: float
) -> None:
    path = make_video(name, moving, **options)
    for found, expected in zip(sampled(path, fps), sampled_of_all(path, fps), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("name", "options"), WITH_REORDERING)
def test_less_is_decoded(
    make_video: MakeVideo,
    moving: UInt8Array,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: dict[str, Any],
) -> None:
    decoded: list[float] = []
    read = clock.Clock.read

    def counted(clock: Any, picture: Any) -> float:
        decoded.append(read(clock, picture))
        return decoded[-1]

    monkeypatch.setattr(clock.Clock, "read", counted)
    path = make_video(name, moving, **options)
    sampled(path, 1)
    assert 8 < len(decoded) < 0.75 * len(moving)
    decoded.clear()
    sampled_of_all(path, 1)
    assert len(decoded) == len(moving)


@pytest.mark.parametrize("start_s", [0.3, 2.0, 3.3, 7.9])
def test_a_window_begins_with_the_same_frame(
    make_video: MakeVideo, moving: UInt8Array, start_s: float
) -> None:
    path = make_video("v.mp4", moving, options=B_PICTURES)
    window = {"start_s": start_s, "stop_s": start_s + 3}
    for found, expected in zip(sampled(path, 1, **window), sampled_of_all(path, 1, **window), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_uneven_stamps_are_kept_to(make_video: MakeVideo, moving: UInt8Array) -> None:
    steps_ms = np.random.default_rng(1).choice([40, 80, 720], len(moving), p=[0.7, 0.25, 0.05])
    stamps_ms = (np.cumsum(steps_ms) - steps_ms[0]).tolist()
    path = make_video("v.mkv", moving, stamps_ms=stamps_ms, options=B_PICTURES)
    for fps in (1, 3):
        for found, expected in zip(sampled(path, fps), sampled_of_all(path, fps), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_containers_that_only_guess_when_a_picture_is_shown_are_read_whole(
    make_video: MakeVideo, moving: UInt8Array
) -> None:
    path = make_video("v.avi", moving, codec="mpeg4", options={"bf": "2"})
    for found, expected in zip(sampled(path, 1), sampled_of_all(path, 1), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_after_a_jump_of_stamps_nothing_is_spared(make_video: MakeVideo, moving: UInt8Array) -> None:
    one, two = (make_video(name, moving, options=B_PICTURES) for name in ("one.ts", "two.ts"))
    one.write_bytes(one.read_bytes() + two.read_bytes())
    times_s, pictures = sampled(one, 2)
    expected_s, expected = sampled_of_all(one, 2)
    assert times_s[-1] > 15
    np.testing.assert_array_equal(times_s, expected_s)
    np.testing.assert_array_equal(pictures, expected)
