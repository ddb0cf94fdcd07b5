"""What a file says of itself."""

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from dns_core.video import probe_video

MakeVideo = Callable[..., Path]


def test_a_plain_file(make_video: MakeVideo) -> None:
    path = make_video("v.mp4", audio_s=0.5)
    probe = probe_video(path, "folder/v.mp4")
    assert probe.video_id == "folder/v.mp4"
    assert probe.duration_s == pytest.approx(1.0)
    assert probe.fps == pytest.approx(25.0)
    assert (probe.width_px, probe.height_px, probe.codec, probe.rotation_deg) == (64, 48, "h264", 0)
    assert probe.n_bytes == path.stat().st_size
    assert probe.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_sizes_are_those_displayed(make_video: MakeVideo, turn: int) -> None:
    probe = probe_video(make_video("v.mp4", rotation_deg=turn), "v")
    assert probe.rotation_deg == turn
    assert (probe.width_px, probe.height_px) == ((64, 48) if turn == 180 else (48, 64))


def test_pixels_that_are_not_square(make_video: MakeVideo) -> None:
    probe = probe_video(make_video("v.mp4", pixel_ratio=Fraction(2, 1), rotation_deg=90), "v")
    assert (probe.width_px, probe.height_px) == (48, 128)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("v.h264", {"format": "h264"}),
        ("v.mjpeg", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "format": "mjpeg"}),
        ("live.mkv", {"container_options": {"live": "1"}}),
        ("v.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("v.webm", {"codec": "libvpx-vp9"}),
    ],
)
def test_a_duration_that_is_not_stated_is_counted(
    make_video: MakeVideo, name: str, options: dict[str, object]
) -> None:
    assert probe_video(make_video(name, **options), name).duration_s == pytest.approx(1.0, abs=0.05)
