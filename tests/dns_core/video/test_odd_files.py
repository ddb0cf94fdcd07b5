"""Files that other tools write: which stream is the film, how long it is, what is sampled and when.

What is right is known from how a file is made, and `test_ffprobe_agrees` asks FFmpeg's own tool.
"""

import json
import logging
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import VideoError
from dns_core.video import Sampling, decode_frames, frames_at, probe_video
from tests.dns_core.video import odd_files

pytestmark = pytest.mark.skipif(
    not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="FFmpeg's programs are not installed"
)


@dataclass(frozen=True)
class Right:
    """What is right of a file: sampled at 2 fps, ``n`` frames of which the last is shown at ``last_s``."""

    codec: str
    duration_s: float = 3.0
    n: int = 6
    last_s: float = 2.6
    size: tuple[int, int] = (160, 96)


def _fast(codec: str) -> Right:
    return Right(codec, last_s=2.52)  # 25 pictures a second


def _eight(codec: str) -> Right:
    return Right(codec, 8.0, 16, 7.6)


def _nine(codec: str) -> Right:
    return Right(codec, 9.0, 18, 8.5)


RIGHT = {
    "h264.mp4": Right("h264"), "fragmented.mp4": Right("h264"), "hevc.mp4": Right("hevc"),
    "av1.mp4": Right("av1"),
    "vp8.webm": Right("vp8"), "vp9.webm": Right("vp9"), "mpeg4.avi": Right("mpeg4"),
    "msmpeg4.avi": Right("msmpeg4v3"), "mjpeg.avi": Right("mjpeg"), "cinepak.avi": Right("cinepak"),
    "huffyuv.avi": Right("huffyuv"), "mpeg1.mpg": _fast("mpeg1video"),
    "mpeg2.vob": _fast("mpeg2video"), "wmv1.wmv": Right("wmv1"), "flv1.flv": Right("flv1"),
    "screen.flv": Right("flashsv"), "theora.ogv": Right("theora"), "prores.mov": Right("prores"),
    "animation.mov": Right("qtrle"), "svq1.mov": Right("svq1"),
    "dnxhr.mxf": Right("dnxhd", 1.0, 2, 0.52, (256, 144)), "rv20.rm": _fast("rv20"),
    "h263.3gp": Right("h263", size=(176, 144)), "h264.ts": Right("h264"), "h264.m2ts": Right("h264"),
    "ffv1.nut": Right("ffv1"), "vc2.mkv": Right("dirac"), "plain.y4m": Right("rawvideo"),
    "motion.gif": Right("gif"), "motion.apng": Right("apng"),
    "10bit.mp4": Right("hevc"), "grey.mp4": Right("h264"), "444.mp4": Right("h264"), "deep.mov": Right("png"),
    "alpha.webm": Right("vp9"), "anamorphic.mp4": Right("h264", size=(320, 96)),
    "interlaced.mpg": _fast("mpeg2video"), "interlaced.ts": _fast("h264"),
    "picture_first.mkv": Right("h264"), "picture_default.mkv": Right("h264"), "cover.mp4": Right("h264"),
    "second_default.mkv": Right("h264"), "sound_first.mp4": Right("h264"),
    "sound_longer.mkv": Right("h264"), "sound_longer.mp4": Right("h264"), "sound_longer.flv": Right("h264"),
    "sound_longer.ts": Right("h264"), "sound_longer.webm": Right("vp8"),
    # FFmpeg puts an empty picture at the start of this one.
    "sound_longer.avi": Right("h264", 3.2, 7, 3.0),
    # Three slides of 4 s, of which the encoder lets the last one stand for 1 s (GIF: for 4 s).
    "slides.mp4": _nine("h264"), "slides.mkv": _nine("h264"), "slides.webm": _nine("vp8"),
    "slides.gif": Right("gif", 12.0, 24, 11.5),
    "gap.mkv": _eight("h264"), "gap.ts": _eight("h264"), "wrap.ts": Right("h264"),
    "late.mkv": Right("h264"), "late.ts": Right("h264"), "delayed.mp4": Right("h264", 5.0, 10, 4.6),
    "joined.ts": Right("h264", 6.0, 12, 5.6), "joined_late.ts": Right("h264", 6.0, 12, 5.6),
    "turned_90.mp4": Right("h264", size=(96, 160)), "turned_180.mp4": Right("h264"),
    "turned_270.mp4": Right("h264", size=(96, 160)),
    "long.mp4": _eight("h264"), "long.mkv": _eight("h264"), "trimmed.mp4": Right("h264"),
    "anim.avif": Right("av1"), "sequence.heics": Right("hevc"),
}  # fmt: skip
REFUSED = {
    "cenc.mp4": ("encrypted", "without its key"),
    "locked.mp4": ("encrypted", "without its key"),
    "scrambled.ts": ("encrypted", "without its key"),
    "still.avif": ("not_a_video", "a still AVIF image"),
    "anim.webp": ("not_a_video", "no decoder"),
}
DAMAGED = {"cut.mp4": 4.0, "cut.mkv": 4.0}
# Of these FFmpeg's tool takes the stamps as they are, or does not say when each picture is shown.
_NAIVE = {"joined.ts", "joined_late.ts", "late.mkv", "sound_longer.avi", "mpeg4.avi", "mpeg2.vob"}
_ROUNDED_S = 0.25


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The odd files."""
    path = tmp_path_factory.mktemp("odd")
    odd_files.make(path)
    return path


def sampled_s(path: Path) -> list[float]:
    chunks = decode_frames(path, Sampling(fps=2, resize_px=32, crop_px=32, threads=1))
    return [float(time_s) for chunk in chunks for time_s in chunk.times_s]


def test_every_file_is_judged(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == RIGHT.keys() | REFUSED.keys() | DAMAGED.keys()
    assert len(names) >= 70


@pytest.mark.parametrize("name", RIGHT)
def test_the_film_is_found_and_sampled(folder: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    right = RIGHT[name]
    with caplog.at_level(logging.WARNING):
        found, times_s = probe_video(folder / name, name), sampled_s(folder / name)
    assert (found.codec, (found.width_px, found.height_px)) == (right.codec, right.size)
    assert found.duration_s == pytest.approx(right.duration_s, abs=_ROUNDED_S)
    assert len(times_s) == right.n
    assert (times_s[0], times_s[-1]) == pytest.approx((0.0, right.last_s), abs=2e-3)
    assert not caplog.text


@pytest.mark.parametrize("name", sorted(RIGHT.keys() - _NAIVE))
def test_ffprobe_agrees(folder: Path, name: str) -> None:
    """The grid laid over the times that FFmpeg's tool prints of the film's pictures."""
    codec = RIGHT[name].codec
    found_by_ffprobe = ffprobe(
        folder / name, "stream=index,codec_name:frame=stream_index,pts_time,pkt_duration_time"
    )
    (film, *_) = [stream["index"] for stream in found_by_ffprobe["streams"] if stream["codec_name"] == codec][
        ::-1
    ]
    pictures = [
        frame for frame in found_by_ffprobe["frames"] if frame["stream_index"] == film and "pts_time" in frame
    ]
    starts_s = np.array([float(frame["pts_time"]) for frame in pictures])
    starts_s -= starts_s[0]
    end_s = starts_s[-1] + float(pictures[-1].get("pkt_duration_time", 0.2))
    grid_s = np.arange(0, end_s - 2e-3, 0.5)
    following = [next((s for s in starts_s if s >= at_s - 2e-3), at_s) for at_s in grid_s]
    expected = [s if s < at_s + 0.498 else at_s for s, at_s in zip(following, grid_s, strict=True)]
    np.testing.assert_allclose(sampled_s(folder / name), expected, atol=3e-3)


@pytest.mark.parametrize("name", ["turned_90.mp4", "turned_180.mp4", "turned_270.mp4", "second_default.mkv"])
def test_the_picture_is_the_one_that_players_show(folder: Path, name: str) -> None:
    width, height = RIGHT[name].size
    track = ["-map", "0:1"] if name == "second_default.mkv" else []
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        name,
        *track,
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
    ]
    drawn = subprocess.run([*command, "-"], cwd=folder, check=True, capture_output=True).stdout
    expected = np.frombuffer(drawn, np.uint8).reshape(height, width, 3).astype(int)
    (found,) = frames_at(folder / name, [0.0], max_side_px=400)
    assert np.abs(found - expected).mean() < 8  # they scale colours otherwise


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_shown_says_why(folder: Path, name: str) -> None:
    reason, words = REFUSED[name]
    for read in (lambda: probe_video(folder / name, name), lambda: sampled_s(folder / name)):
        with pytest.raises(VideoError, match=words) as caught:
            read()
        assert caught.value.reason == reason


@pytest.mark.parametrize("name", DAMAGED)
def test_a_file_that_was_cut_off_is_called_damaged(
    folder: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        times_s = sampled_s(folder / name)
    assert times_s[-1] == pytest.approx(DAMAGED[name], abs=0.7)
    assert "damaged" in caplog.text
    assert "of 8.0 seconds" in caplog.text


def ffprobe(path: Path, entries: str) -> dict[str, list[dict[str, str]]]:
    command = [
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        entries,
        "-of",
        "json",
        str(path),
    ]
    found = subprocess.run(command, check=True, capture_output=True).stdout
    return json.loads(found)  # type: ignore[no-any-return]
