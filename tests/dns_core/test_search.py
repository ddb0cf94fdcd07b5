"""The front door: a folder becomes an index, an index answers, two files are compared."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import MissingArtefactError, ParamsError
from dns_core.retrieval.bundle import SHIPPED_MODELS
from dns_core.search import Searcher, index_videos, models_folder
from dns_core.video import write_video


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(("a.mp4", "b.mp4")):
        scenes = np.random.default_rng(seed).integers(0, 255, (3, 6, 8, 3), dtype=np.uint8)
        frames = [np.kron(scene, np.ones((16, 16, 1), dtype=np.uint8)) for scene in scenes for _ in range(8)]
        write_video(folder / name, frames, fps=8.0)
    return folder


@pytest.fixture(scope="module")
def index(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "index"
    manifest = index_videos(str(videos), str(folder), SHIPPED_MODELS)
    assert [shard.n_videos for shard in manifest.shards] == [2]
    return folder


def test_an_index_answers_with_the_video_itself_first(index: Path, videos: Path) -> None:
    searcher = Searcher.open(str(index), str(SHIPPED_MODELS))
    answer = searcher.query(str(videos / "b.mp4"), top_k=1, budget="1")
    assert [match.video_id for match in answer.results] == ["b.mp4"]
    assert searcher.engine("fine_attention") is searcher.engine("fine_attention")
    with pytest.raises(ParamsError):
        searcher.query(videos / "b.mp4", budget="much")


def test_two_files_are_compared_without_an_index(videos: Path) -> None:
    searcher = Searcher.of_models(SHIPPED_MODELS)
    a, b = videos / "a.mp4", videos / "b.mp4"
    assert searcher.compare(a, a).score > searcher.compare(a, b).score
    with pytest.raises(MissingArtefactError, match=r"Searcher\.open"):
        searcher.query(a)


def test_an_index_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError):
        Searcher.open(tmp_path / "nothing")


def test_shipped_models_are_used_where_none_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert models_folder() == SHIPPED_MODELS
