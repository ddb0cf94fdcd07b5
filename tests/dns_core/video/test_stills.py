"""What is on the screen at given times, and stretches of a video."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dns_core.errors import InputError, VideoError
from dns_core.records import UInt8Array
from dns_core.video import Sampling, decode_frames, frames, frames_at, stream_facts, write_video

FPS = 10.0


@pytest.fixture(scope="module")
def ramp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds; picture k is grey of value 4 k, 40 px wide and 60 high."""
    path = tmp_path_factory.mktemp("ramp") / "ramp.mp4"
    write_video(path, [np.full((60, 40, 3), 4 * k, np.uint8) for k in range(60)], FPS, crf=0)
    return path


def number(frame: UInt8Array) -> int:
    """Which picture of the ramp it is; through YUV and back it is darker by up to 2."""
    return round((float(frame.mean()) + 1.5) / 4)


def test_each_time_shows_the_picture_that_is_on_the_screen(ramp: Path) -> None:
    shown = list(frames_at(ramp, [0.0, 0.05, 0.1, 2.55, 2.59, 4.0], max_side_px=600))
    assert [number(frame) for frame in shown] == [0, 0, 1, 25, 25, 40]
    assert {frame.shape for frame in shown} == {(60, 40, 3)}


def test_times_after_the_end_give_the_last_picture_once(ramp: Path) -> None:
    assert [number(frame) for frame in frames_at(ramp, [5.8, 7, 8, 9], max_side_px=30)] == [58, 59]
    (frame,) = frames_at(ramp, [100.0], max_side_px=30)
    assert number(frame) == 59
    assert frame.shape == (30, 20, 3)


def test_no_time_and_no_video_are_refused(tmp_path: Path, ramp: Path) -> None:
    with pytest.raises(InputError, match="at least one time"):
        next(frames_at(ramp, [], max_side_px=30))
    with pytest.raises(VideoError):
        next(frames_at(tmp_path / "nothing.mp4", [0.0], max_side_px=30))


@pytest.mark.parametrize(("start_s", "stop_s"), [(0.0, 2.0), (1.5, 4.0), (3.3, 99.0), (2.0, 2.5)])
def test_a_stretch_has_the_frames_that_the_whole_has_there(ramp: Path, start_s: float, stop_s: float) -> None:
    sampling = Sampling(fps=2.0, resize_px=32, crop_px=32)

    def taken(**stretch: float) -> tuple[list[float], list[int]]:
        chunks = list(decode_frames(ramp, sampling, **stretch))
        return (
            [float(t) for chunk in chunks for t in chunk.times_s],
            [number(frame) for chunk in chunks for frame in chunk.frames],
        )

    times_s, numbers = taken()
    part_s, part = taken(start_s=start_s, stop_s=stop_s)
    inside = [k for k, t in enumerate(times_s) if start_s <= t < stop_s]
    # A stretch that begins between two times of the grid has a frame of its own there.
    assert part_s[-len(inside) :] == [times_s[k] for k in inside]
    assert part[-len(inside) :] == [numbers[k] for k in inside]
    assert part_s[0] >= start_s
    assert len(part_s) - len(inside) <= 1


def test_a_stretch_beyond_the_end_is_empty(ramp: Path) -> None:
    assert list(decode_frames(ramp, Sampling(), start_s=50.0)) == []


def test_what_lies_before_a_stretch_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # x264 puts a key frame every 250 pictures at least.
    write_video(tmp_path / "long.mp4", [np.full((16, 16, 3), k % 256, np.uint8) for k in range(1200)], FPS)
    decoded, n_decoded = frames._decoded, 0

    def counted(*arguments: Any) -> Any:
        nonlocal n_decoded
        pictures = decoded(*arguments)
        n_decoded += len(pictures)
        return pictures

    monkeypatch.setattr(frames, "_decoded", counted)
    sampling = Sampling(fps=2.0, resize_px=16, crop_px=16)
    (chunk,) = decode_frames(tmp_path / "long.mp4", sampling, start_s=110.0, stop_s=112.0)
    assert chunk.times_s.tolist() == [110.0, 110.5, 111.0, 111.5]
    assert n_decoded < 300


def test_facts_are_those_of_the_file(ramp: Path) -> None:
    facts = stream_facts(ramp)
    assert (facts.width_px, facts.height_px, facts.fps, facts.codec) == (40, 60, FPS, "h264")
    assert facts.duration_s == pytest.approx(6)
