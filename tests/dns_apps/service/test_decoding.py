"""Processes that decode for strangers: replaced when they die, limited in what they may take."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dns_apps.service.decoding import Decoders, Limits
from dns_core.errors import VideoError
from dns_core.records import UInt8Array
from dns_core.video.decode import Sampling
from dns_core.video.encode import write_video

Draw = Callable[..., UInt8Array]


def test_a_decoder_that_dies_is_replaced(tmp_path: Path, excerpt: Path) -> None:
    before = set(psutil.Process().children())
    decoders = Decoders(1, Limits(4 << 30, 60.0, 1 << 26, 60.0), tmp_path)
    try:
        assert decoders.facts(excerpt).codec == "h264"
        (process,) = set(psutil.Process().children()) - before
        process.kill()
        process.wait(5)
        assert decoders.facts(excerpt).codec == "h264"
        assert decoders.n_replaced == 1
    finally:
        decoders.close()


@pytest.mark.parametrize(
    ("memory_bytes", "seconds", "reasons"),
    [(300 << 20, 60.0, {"too_large", "corrupt", "no_frames"}), (4 << 30, 0.01, {"too_large"})],
)
def test_a_video_that_costs_too_much_is_given_up(
    tmp_path: Path, draw: Draw, memory_bytes: int, seconds: float, reasons: set[str]
) -> None:
    path, small = tmp_path / "large.mp4", tmp_path / "small.mp4"
    write_video(path, draw(0, 1)[:2].repeat(52, axis=1).repeat(51, axis=2), 8.0)
    write_video(small, draw(0, 1), 8.0)
    decoders = Decoders(1, Limits(memory_bytes, seconds, 1 << 26, 60.0), tmp_path)
    try:
        with pytest.raises(VideoError) as refused:
            list(decoders.frames(path, Sampling(fps=2.0), 0.0, None))
        assert refused.value.reason in reasons
        if seconds > 1:
            assert len(list(decoders.frames(small, Sampling(fps=2.0), 0.0, None))) == 2
        else:
            assert decoders.n_replaced == 1
    finally:
        decoders.close()
