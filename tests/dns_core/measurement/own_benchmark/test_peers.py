import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from dns_core.measurement.own_benchmark.peers import FrameHashes, installed_peers, mean_best_score, vpdq_score
from dns_core.video import write_video


def _hashes(*flipped: int, quality: int = 100) -> FrameHashes:
    """Frames of one picture each, of which some bits are flipped."""
    bits = np.zeros((len(flipped), 256), dtype=np.uint8)
    for row, count in enumerate(flipped):
        bits[row, :count] = 1
    return FrameHashes(bits, np.full(len(flipped), quality))


def test_vpdq_counts_the_good_frames_within_31_bits() -> None:
    assert vpdq_score(_hashes(0, 31, 32, 200), _hashes(0)) == 0.5
    assert vpdq_score(_hashes(0, quality=49), _hashes(0)) == 0
    assert vpdq_score(_hashes(0), _hashes(0, quality=49)) == 0


def test_the_mean_best_distance_has_no_threshold() -> None:
    assert mean_best_score(_hashes(0, 64), _hashes(0, 128)) == pytest.approx(1 - 32 / 256)
    assert mean_best_score(_hashes(256), _hashes(0)) == 0


def test_a_peer_that_is_not_installed_is_absent_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pdqhash", None)
    monkeypatch.setenv("PATH", "")
    peers, absent = installed_peers(2.0)
    assert not peers
    assert "pdqhash" in absent["vPDQ"]
    assert "ffmpeg" in absent["videohash2"]


def test_an_installed_peer_sees_whole_frames(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = []

    def compute(frame: np.ndarray) -> tuple[np.ndarray, int]:
        seen.append(frame.shape)
        return np.ones(256, dtype=np.uint8), 70

    monkeypatch.setitem(sys.modules, "pdqhash", SimpleNamespace(compute=compute))
    write_video(tmp_path / "v.mp4", np.zeros((8, 48, 64, 3), dtype=np.uint8), 4)
    described = installed_peers(2.0)[0]["vPDQ"].describe(tmp_path / "v.mp4")
    assert seen == [(48, 64, 3)] * 4
    assert described.bits.shape == (4, 256)
    assert list(described.quality) == [70] * 4
