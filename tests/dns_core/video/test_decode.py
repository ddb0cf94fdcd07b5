"""Sampling: which frames, at which times, of what size, in how much memory."""

import logging
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from dns_core.errors import ParamsError, VideoError
from dns_core.video import FrameChunk, Sampling, decode, decode_frames, read_clip
from dns_core.video.frames import timed_frames
from tests.dns_core.video.sampling import MakeVideo, sampled, still
from tests.oracles.reference_files import PARITY

GOLDEN = PARITY / "video"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp4", {}),
        ("a.mkv", {}),
        ("a.mov", {"audio_s": 1.0}),
        ("a.avi", {"codec": "mpeg4"}),
        ("a.webm", {"codec": "libvpx-vp9"}),
        ("a.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("a.apng", {"codec": "apng", "pix_fmt": "rgb24"}),
        ("a.ts", {}),
        ("a.flv", {}),
        ("a.wmv", {"codec": "wmv2"}),
        ("a.mpg", {"codec": "mpeg2video"}),
        ("no_stamps.h264", {"format": "h264"}),
        ("no_stamps.mjpeg", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "format": "mjpeg"}),
        ("wrong_extension.jpg", {"format": "mp4"}),
        ("no extension", {"format": "matroska"}),
        ("日本 \n %d.mp4", {}),
        ("concat:a.mp4", {"format": "mp4"}),
    ],
)
def test_every_container_gives_the_same_times_and_picture(
    make_video: MakeVideo, tmp_path: Path, name: str, options: dict[str, object]
) -> None:
    path = make_video("made.tmp" if ":" in name else name, **options)
    if ":" in name:
        path = path.rename(tmp_path / name)  # av would take the name for a protocol when writing
    times_s, frames = sampled(path)
    np.testing.assert_allclose(times_s, [0, 0.2, 0.4, 0.6, 0.8], atol=2e-3)
    assert frames.shape == (5, 24, 24, 3)
    assert abs(frames.mean() - 89) < 5


def test_frames_are_those_of_the_reference() -> None:
    expected = np.load(GOLDEN / "frames.npz")
    for clip, times_s in (("25fps", range(5)), ("12fps", range(4)), ("2997fps", np.arange(4) * 1.001)):
        found_s, frames = sampled(GOLDEN / f"{clip}.mp4", fps=1, resize_px=80, crop_px=64)
        np.testing.assert_allclose(found_s, times_s, atol=1e-6)
        difference = np.abs(frames.astype(int) - expected[f"{clip}/cc64_rs80"])
        assert difference.mean() < 2  # another scaler, the same frames


def test_variable_frame_rate_keeps_true_times(make_video: MakeVideo) -> None:
    frames = np.concatenate([still(1, 32, 32, 20 * n) for n in range(8)])
    path = make_video("vfr.mkv", frames, stamps_ms=[0, 40, 80, 520, 560, 1520, 1560, 3000])
    times_s, sampled_frames = sampled(path, fps=2)
    np.testing.assert_allclose(times_s[:7], [0, 0.52, 1, 1.52, 2, 2.5, 3], atol=1e-3)
    greys = sampled_frames[:7].mean(axis=(1, 2, 3))
    np.testing.assert_allclose(greys, [0, 60, 80, 100, 120, 120, 140], atol=4)


def test_a_picture_that_stays_is_sampled_while_it_is_shown(make_video: MakeVideo) -> None:
    slides = np.concatenate([still(1, 32, 32, value) for value in (40, 120, 200)])
    path = make_video("slides.mkv", slides, stamps_ms=[0, 4000, 8000])
    times_s, frames = sampled(path, fps=2)
    np.testing.assert_allclose(times_s[:17], np.arange(17) / 2)
    shown = frames.mean(axis=(1, 2, 3))[:17]
    np.testing.assert_allclose(shown, np.repeat([40, 120, 200], [8, 8, 1]), atol=4)
    (chunk,) = decode_frames(path, Sampling(2, 32, 24), start_s=5.2, stop_s=5.4)
    assert chunk.times_s == pytest.approx([5.2])
    assert chunk.frames.mean() == pytest.approx(120, abs=4)


def test_a_picture_is_not_repeated_for_ever(make_video: MakeVideo) -> None:
    path = make_video("days.mkv", still(2, 32, 32), stamps_ms=[0, 100_000_000])
    times_s, _ = sampled(path, fps=0.1)
    np.testing.assert_allclose(times_s[[359, 360]], [3590, 100_000])


def test_a_clock_that_jumps_back_goes_on(make_video: MakeVideo) -> None:
    # Two recordings glued together, as set-top boxes do: the second starts at its own zero.
    one, two = (make_video(n, still(50, 32, 32), options={"bf": "0"}) for n in ("one.ts", "two.ts"))
    one.write_bytes(one.read_bytes() + two.read_bytes())
    times_s, _ = sampled(one, fps=5)
    assert len(times_s) == 20
    assert (np.diff(times_s) > 0).all()
    assert times_s[-1] == pytest.approx(3.8, abs=0.1)


def test_stamps_that_make_no_sense_still_give_rising_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stamps = [None, 0, 0, 40, None, 20, 160, 9000, 9040, 0, 80, 1 << 40]  # in ms; the period is 40 ms
    pictures = [SimpleNamespace(pts=stamp, duration=None) for stamp in stamps]
    monkeypatch.setattr("dns_core.video.frames._pictures", lambda *_: iter(pictures))
    stream: Any = SimpleNamespace(
        average_rate=Fraction(25), guessed_rate=None, time_base=Fraction(1, 1000), start_time=0, duration=None
    )
    container: Any = SimpleNamespace(duration=None, format=av.ContainerFormat("matroska", "r"))
    times_s = [frame.time_s for frame in timed_frames(container, stream, Path("v"))]
    expected = [0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 9.0, 9.04, 9.08, 9.16]
    np.testing.assert_allclose(times_s[:-1], expected)
    assert times_s[-1] > 9.16


def test_one_frame_and_fast_videos(make_video: MakeVideo) -> None:
    times_s, _ = sampled(make_video("one.mp4", still(1, 32, 32)))
    assert times_s.tolist() == [0.0]
    times_s, _ = sampled(make_video("fast.mp4", still(100, 32, 32), fps=100))
    np.testing.assert_allclose(times_s, [0, 0.2, 0.4, 0.6, 0.8], atol=1e-3)
    times_s, _ = sampled(make_video("slow.mp4", still(4, 32, 32), fps=2))
    # A frame stays on the screen until the next one.
    np.testing.assert_allclose(times_s, [0, 0.2, 0.5, 0.6, 0.8, 1, 1.2, 1.5, 1.6, 1.8], atol=1e-3)


def test_streaming_holds_one_chunk(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder is never further ahead of the reader than one chunk."""
    path = make_video("long.mp4", still(400, 32, 32))
    decoded: list[float] = []

    def counted(*args: object) -> object:
        for frame in timed_frames(*args):  # type: ignore[arg-type]
            decoded.append(frame.time_s)
            yield frame

    monkeypatch.setattr("dns_core.video.decode.timed_frames", counted)
    sizes = []
    for number, chunk in enumerate(decode_frames(path, Sampling(25, 32, 24, chunk_frames=64))):
        assert isinstance(chunk, FrameChunk)
        sizes.append(len(chunk.times_s))
        assert len(decoded) <= 64 * (number + 1)
    assert sizes == [64] * 6 + [16]


def test_chunks_do_not_share_memory(make_video: MakeVideo) -> None:
    chunks = list(decode_frames(make_video("v.mp4"), Sampling(25, 32, 24, chunk_frames=5)))
    assert len({chunk.frames.ctypes.data for chunk in chunks}) == 5
    assert not np.array_equal(chunks[0].frames, chunks[1].frames)


def test_threads_do_not_change_the_frames(make_video: MakeVideo) -> None:
    path = make_video("v.mp4")
    np.testing.assert_array_equal(sampled(path, threads=1)[1], sampled(path, threads=4)[1])


def test_a_break_in_the_middle_keeps_what_came_before(
    make_video: MakeVideo, caplog: pytest.LogCaptureFixture
) -> None:
    options = {"options": {"g": "20"}, "container_options": {"movflags": "faststart"}}
    path = make_video(
        "v.mp4", np.random.default_rng(0).integers(255, size=(200, 48, 64, 3), dtype=np.uint8), **options
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with caplog.at_level(logging.WARNING):
        times_s, _ = sampled(path)
    assert 10 <= len(times_s) < 30
    assert "damaged" in caplog.text
    assert "of 8.0 seconds" in caplog.text


def test_damage_in_the_middle_is_skipped(make_video: MakeVideo, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(0).integers(255, size=(100, 48, 64, 3), dtype=np.uint8)
    path = make_video("v.mp4", noise, options={"g": "20"})
    content = bytearray(path.read_bytes())
    start = content.index(b"mdat") + (len(content) // 2)
    content[start : start + 9000] = bytes(9000)
    path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        times_s, _ = sampled(path)
    assert times_s[-1] > 3.5  # the last frames are seen again
    assert "damaged" in caplog.text


def test_reading_is_silent(make_video: MakeVideo, capfd: pytest.CaptureFixture[str]) -> None:
    path = make_video("v.mp4")
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(VideoError):
        sampled(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"fps": 0},
        {"fps": float("nan")},
        {"fps": -1},
        {"crop_px": 300},
        {"crop_px": 0},
        {"chunk_frames": 0},
        {"threads": -1},
    ],
)
def test_sampling_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParamsError):
        Sampling(**wrong)  # type: ignore[arg-type]


def test_read_clip_is_whole_and_bounded(make_video: MakeVideo) -> None:
    path = make_video("v.mp4")
    clip = read_clip(path)
    assert clip.frames.shape == (25, 48, 64, 3)
    assert clip.fps == pytest.approx(25)
    np.testing.assert_allclose(clip.source_times_s, np.arange(25) / 25, atol=1e-6)
    assert read_clip(path, max_frames=7).n_frames == 7
    assert read_clip(path, max_side_px=32).frames.shape == (25, 24, 32, 3)
    assert read_clip(path, max_side_px=640).frames.shape == (25, 48, 64, 3)
    slower = read_clip(path, fps=5)
    assert slower.n_frames == 5
    assert slower.fps == pytest.approx(5)
    assert read_clip(path, fps=100).fps == pytest.approx(25)


def test_read_clip_refuses_to_fill_the_memory(make_video: MakeVideo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "MAX_CLIP_BYTES", 48 * 64 * 3 * 10)
    with pytest.raises(VideoError, match="too_large"):
        read_clip(make_video("v.mp4"))


def test_a_small_file_of_huge_frames_is_refused_and_says_what_the_limit_is(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mkv"
    with av.open(path, "w") as file:
        stream = file.add_stream("mjpeg", rate=25, width=16_000, height=8_000, pix_fmt="yuvj420p")
        picture = av.VideoFrame(16_000, 8_000, "yuvj420p")
        picture.pts = 0
        for plane in picture.planes:
            plane.update(bytes(plane.buffer_size))
        for packet in [*stream.encode(picture), *stream.encode()]:
            file.mux(packet)
    assert path.stat().st_size < 16_000 * 8_000 / 50
    with pytest.raises(VideoError, match="frames of more than 67108864 px are refused"):
        sampled(path)
