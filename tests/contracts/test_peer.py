"""Every Peer that is installed finds the copy of a video nearer than another video."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.measurement.own_benchmark.peers import Peer, installed_peers
from dns_core.video import write_video
from tests.factories import noise_footage

SAMPLING_FPS = 2.0
NAMES = ("vPDQ", "PDQ, mean best distance", "videohash2")


@pytest.fixture(params=NAMES)
def peer(request: pytest.FixtureRequest) -> Peer:
    peers, absent = installed_peers(SAMPLING_FPS)
    assert {*peers, *absent} == set(NAMES)
    if request.param in absent:
        pytest.skip(f"{request.param}: {absent[request.param]} (extra peers)")
    return peers[request.param]


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video, the same one smaller and recoded, and another one."""
    folder = tmp_path_factory.mktemp("videos")
    footage, other = noise_footage(1, seconds=4), noise_footage(2, seconds=4)
    write_video(folder / "video.mp4", footage, 8.0)
    write_video(folder / "copy.mp4", footage[:, ::2, ::2], 8.0)
    write_video(folder / "other.mp4", other, 8.0)
    return folder


def test_a_copy_is_nearer_than_another_video(peer: Peer, videos: Path) -> None:
    video, copy, other = (peer.describe(videos / f"{name}.mp4") for name in ("video", "copy", "other"))
    assert peer.score(video, copy) > peer.score(video, other)
    assert peer.score(video, video) >= peer.score(video, copy)


def test_scores_are_numbers_and_the_same_each_time(peer: Peer, videos: Path) -> None:
    video, other = (peer.describe(videos / f"{name}.mp4") for name in ("video", "other"))
    first = peer.score(video, other)
    assert isinstance(first, float)
    assert np.isfinite(first)
    assert peer.score(peer.describe(videos / "video.mp4"), other) == first
