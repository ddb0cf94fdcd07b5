"""A screenshot of a calm shot finds its moment where the files of the videos are at hand."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from dns_core.records import Match, UInt8Array
from dns_core.search import Searcher, index_videos
from dns_core.video import write_video

FPS = 5
SHOWN_S = 7.4


def _calm(name: str) -> UInt8Array:
    """A photograph, in which a small ball wanders for ten seconds."""
    scene = np.asarray(Image.fromarray(getattr(skimage.data, name)()[..., :3]).resize((320, 240)))
    frames = np.repeat(scene[None], 10 * FPS, axis=0)
    for number, frame in enumerate(frames):
        left = 20 + 5 * number
        frame[150:166, left : left + 16] = (250, 240, 60)
    return frames


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calm") / "videos"
    for name in ("astronaut", "chelsea", "coffee"):
        write_video(folder / f"{name}.mp4", _calm(name), fps=FPS)
    index_videos(folder, folder.parent / "index")
    return folder


@pytest.fixture(scope="module")
def shot(videos: Path) -> Path:
    """Cut at its edges, scaled, and encoded again."""
    frame = Image.fromarray(_calm("chelsea")[int(SHOWN_S * FPS)])
    path = videos.parent / "shot.jpg"
    frame.crop((10, 6, 310, 226)).resize((200, 147)).save(path, quality=60)
    return path


def _found(videos: Path, shot: Path, searched: Path | None) -> tuple[Match, ...]:
    return Searcher.open(videos.parent / "index", videos=searched).query(shot).results


def test_the_moment_is_read_from_the_file(videos: Path, shot: Path) -> None:
    best, *others = _found(videos, shot, videos)
    assert best.video_id == "chelsea.mp4"
    assert best.segments[0].target_start_s == pytest.approx(SHOWN_S, abs=0.21)
    assert best.score > 0.7
    assert all(match.score < 0.3 for match in others)


def test_without_its_file_a_video_keeps_the_moment_of_the_index(
    videos: Path, shot: Path, tmp_path: Path
) -> None:
    plain = _found(videos, shot, None)
    assert _found(videos, shot, tmp_path) == plain
    (tmp_path / "chelsea.mp4").write_bytes(b"no video any more")
    assert _found(videos, shot, tmp_path) == plain
    assert plain[0].video_id == "chelsea.mp4"
    assert plain[0].score < _found(videos, shot, videos)[0].score
