"""Processes that decode files of others: replaced when they die, limited in what they may take."""

import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest

from dns_core.decoding.decoders import Decoders
from dns_core.decoding.offline import frame_chunks, open_decoder, probe, tried
from dns_core.decoding.process import BrokenDecoderError, Limits
from dns_core.errors import VideoError
from dns_core.fleet import Place
from dns_core.records import UInt8Array
from dns_core.video.decode import Sampling, decode_frames, read_clip
from dns_core.video.encode import write_video
from dns_core.video.probe import content_digest, stream_facts
from tests.oracles.faulty_decoder import PROGRAM, SLOW_S

FPS = 8.0


def moving(n_frames: int, times: int = 1) -> UInt8Array:
    ramp = np.arange(96 * times, dtype=np.uint8)[None, None, :, None]
    return np.broadcast_to(
        ramp + np.arange(n_frames, dtype=np.uint8)[:, None, None, None], (n_frames, 64 * times, 96 * times, 3)
    ).copy()


@pytest.fixture
def excerpt(tmp_path: Path) -> Path:
    write_video(tmp_path / "excerpt.mp4", moving(40), FPS)
    return tmp_path / "excerpt.mp4"


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
    tmp_path: Path, memory_bytes: int, seconds: float, reasons: set[str]
) -> None:
    path, small = tmp_path / "large.mp4", tmp_path / "small.mp4"
    write_video(path, moving(2, 70), FPS)
    write_video(small, moving(8), FPS)
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


def test_what_is_decoded_outside_is_what_is_decoded_here(excerpt: Path) -> None:
    decoder = open_decoder()
    sampling = Sampling(fps=2.0, resize_px=None, crop_px=48, chunk_frames=3)
    found = decoder.frames(excerpt, sampling, pictures=False)
    facts = next(found)
    there, here = list(frame_chunks(found)), list(decode_frames(excerpt, sampling))
    assert facts == stream_facts(excerpt)
    for name in ("frames", "times_s"):
        one, other = (np.concatenate([getattr(chunk, name) for chunk in chunks]) for chunks in (there, here))
        np.testing.assert_array_equal(one, other)
    clip = decoder.whole(excerpt, fps=2.0, max_side_px=60, max_frames=5)
    same = read_clip(excerpt, fps=2.0, max_side_px=60, max_frames=5)
    np.testing.assert_array_equal(clip.frames, same.frames)
    np.testing.assert_array_equal(clip.source_times_s, same.source_times_s)
    assert clip.fps == same.fps
    probed = asdict(probe(decoder, excerpt, "v"))
    assert probed["sha256"] == content_digest(excerpt)
    assert probed["n_bytes"] == excerpt.stat().st_size
    decoder.close()


def test_offline_errors_say_where_the_file_is_and_pictures_are_no_videos(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    decoder = open_decoder()
    with pytest.raises(VideoError, match=f"not_a_video: {tmp_path}/text.mp4 is in no video format"):
        decoder.facts(tmp_path / "text.mp4", pictures=False)
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(VideoError, match="is a still PNG image"):
        next(decoder.frames(tmp_path / "p.png", Sampling(), pictures=False))
    decoder.close()


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("exits.mp4", "corrupt", r"broke down on the video \(3 times\)"),
        ("hangs.mp4", "too_large", r"longer than the 1 s for a step allowed \(3 times\)"),
        ("eats.mp4", "too_large", "takes more memory than is allowed"),
    ],
)
def test_a_file_that_breaks_its_decoder_is_refused_after_three_tries(
    excerpt: Path, name: str, reason: str, detail: str
) -> None:
    bad = excerpt.rename(excerpt.with_name(name))
    decoder = open_decoder(Place(decoder=PROGRAM, decoder_s=1.0, decoder_bytes=1 << 30, threads=1))
    with pytest.raises(VideoError, match=detail) as refused:
        tried(lambda: decoder.facts(bad, pictures=False))
    assert (refused.value.reason, type(refused.value)) == (reason, VideoError)
    good = bad.rename(bad.with_name("good.mp4"))
    assert decoder.facts(good, pictures=False).codec == "h264"
    decoder.close()


@pytest.mark.parametrize("renewed", [True, False])
def test_time_may_count_anew_after_each_answer(tmp_path: Path, renewed: bool) -> None:
    write_video(tmp_path / "slow.mp4", moving(120), FPS)
    decoders = Decoders(1, Limits(4 << 30, 1.5, 1 << 26, 1e9, renewed=renewed, module=PROGRAM))
    frames = decoders.frames(tmp_path / "slow.mp4", Sampling(fps=8.0), pictures=False)
    if renewed:
        assert len(list(frames)) * SLOW_S > 2.0
    else:
        with pytest.raises(BrokenDecoderError, match="longer than the 1.5 s allowed"):  # noqa: RUF043
            list(frames)
    decoders.close()


def test_a_decoder_without_an_owner_ends(excerpt: Path) -> None:
    decoder = open_decoder()
    before = set(psutil.Process().children())
    assert decoder.facts(excerpt).codec == "h264"
    (process,) = set(psutil.Process().children()) - before
    del decoder
    deadline = time.monotonic() + 10
    while process.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not process.is_running()
