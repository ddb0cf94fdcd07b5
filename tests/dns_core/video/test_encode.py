"""write_video: what is decoded is what was given, and the bytes repeat."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from dns_core.errors import InputError
from dns_core.records import UInt8Array
from dns_core.video.encode import write_video


def _moving_square(n_frames: int, height_px: int, width_px: int) -> list[UInt8Array]:
    frames = []
    for number in range(n_frames):
        frame = np.full((height_px, width_px, 3), (40, 90, 160), np.uint8)
        frame[8:20, 2 + 2 * number : 14 + 2 * number] = (220, 180, 30)
        frames.append(frame)
    return frames


def _decoded(path: Path) -> tuple[UInt8Array, list[float], float]:
    with av.open(str(path)) as container:
        pairs = [(f.to_ndarray(format="rgb24"), f.time) for f in container.decode(video=0)]
        rate = float(container.streams.video[0].average_rate or 0)
    return np.stack([p[0] for p in pairs]), [float(p[1] or 0) for p in pairs], rate


def test_decodes_to_the_same_frames_at_the_same_times(tmp_path: Path) -> None:
    frames = _moving_square(20, 48, 64)
    write_video(tmp_path / "made" / "a.mp4", frames, 12.0)
    decoded, times_s, rate = _decoded(tmp_path / "made" / "a.mp4")
    assert decoded.shape == (20, 48, 64, 3)
    assert rate == pytest.approx(12.0)
    np.testing.assert_allclose(times_s, np.arange(20) / 12.0, atol=1e-3)
    assert np.abs(decoded.astype(int) - np.stack(frames)).mean() < 4


def test_is_h264_in_yuv420p(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", _moving_square(3, 32, 48), 10.0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.pix_fmt) == ("h264", "yuv420p")


def test_bytes_repeat(tmp_path: Path) -> None:
    """Also in memory that held other things: x264's macroblock tree once read unwritten memory."""
    rng = np.random.default_rng(0)
    blotches = Image.fromarray(rng.integers(0, 255, (20, 40, 3), dtype=np.uint8))
    scene = blotches.resize((400, 200), Image.Resampling.BICUBIC)
    frames = [
        np.asarray(scene.transform((96, 54), Image.Transform.AFFINE, (zoom, 0, t, 0, zoom, t / 2)))
        for t, zoom in zip(np.linspace(0, 100, 78), np.linspace(1, 1.15, 78), strict=True)
    ]
    contents = set()
    for _ in range(12):
        litter = [np.full(int(rng.integers(100, 400_000)), rng.integers(255), np.uint8) for _ in range(30)]
        del litter
        write_video(tmp_path / "a.mp4", iter(frames), 8.0)
        contents.add((tmp_path / "a.mp4").read_bytes())
    assert len(contents) == 1


def test_coarser_quality_is_smaller(tmp_path: Path) -> None:
    frames = list(np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), dtype=np.uint8))
    write_video(tmp_path / "fine.mp4", frames, 10.0, crf=18)
    write_video(tmp_path / "coarse.mp4", frames, 10.0, crf=40)
    assert (tmp_path / "coarse.mp4").stat().st_size < (tmp_path / "fine.mp4").stat().st_size / 2


@pytest.mark.parametrize(("size", "stored"), [((33, 47), (34, 48)), ((1, 1), (2, 2)), ((32, 47), (32, 48))])
def test_odd_sides_are_lengthened(tmp_path: Path, size: tuple[int, int], stored: tuple[int, int]) -> None:
    write_video(tmp_path / "a.mp4", [np.full((*size, 3), 120, np.uint8)] * 2, 10.0)
    decoded, _, _ = _decoded(tmp_path / "a.mp4")
    assert decoded.shape[1:3] == stored
    assert np.abs(decoded.astype(int) - 120).max() < 8


def test_fractional_rates_survive(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", _moving_square(6, 32, 48), 30000 / 1001)
    assert _decoded(tmp_path / "a.mp4")[2] == pytest.approx(30000 / 1001)


@pytest.mark.parametrize(("fps", "crf"), [(0.0, 23), (-1.0, 23), (float("nan"), 23), (10.0, 52), (10.0, -1)])
def test_settings_out_of_range_are_refused(tmp_path: Path, fps: float, crf: int) -> None:
    with pytest.raises(InputError, match="must lie"):
        write_video(tmp_path / "a.mp4", _moving_square(1, 32, 32), fps, crf=crf)


@pytest.mark.parametrize(
    "frames",
    [
        [np.zeros((32, 32), np.uint8)],
        [np.zeros((32, 32, 4), np.uint8)],
        [np.zeros((32, 32, 3), np.float32)],
        [np.zeros((32, 32, 3), np.uint8), np.zeros((32, 48, 3), np.uint8)],
        [],
    ],
)
def test_what_is_not_a_video_is_refused_and_leaves_nothing(tmp_path: Path, frames: list[UInt8Array]) -> None:
    with pytest.raises(InputError):
        write_video(tmp_path / "a.mp4", frames, 10.0)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_keeps_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, _moving_square(4, 32, 48), 10.0)
    before = path.read_bytes()

    def interrupted() -> Iterator[UInt8Array]:
        yield from _moving_square(3, 32, 48)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_video(path, interrupted(), 10.0)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.mp4"]
