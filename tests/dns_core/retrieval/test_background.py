"""The videos with which queries are compared to normalise their scores."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, InputError, MissingArtefactError
from dns_core.records import VideoFeatures
from dns_core.retrieval.background import Background, drawn_background
from dns_core.store.weights import save_weights


def video(name: str, n_frames: int) -> VideoFeatures:
    regions = np.random.default_rng(n_frames).normal(size=(n_frames, 3, 8)).astype(np.float16)
    return VideoFeatures(name, regions.astype(np.float32), np.arange(n_frames, dtype=np.float64))


def test_a_background_survives_the_disk(tmp_path: Path) -> None:
    background = Background((video("a", 1), video("b", 4)))
    background.save(tmp_path / "background.safetensors")
    found = Background.load(tmp_path / "background.safetensors")
    for one, other in zip(background.videos, found.videos, strict=True):
        np.testing.assert_array_equal(one.regions, other.regions)
    with pytest.raises(MissingArtefactError):
        Background.load(tmp_path / "none.safetensors")


def test_excerpts_are_drawn_alike_for_one_seed() -> None:
    videos = [video("a", 3), video("b", 40)]
    first, again, other = (drawn_background(videos, 8, seed) for seed in (1, 1, 2))
    assert [one.n_frames for one in first.videos] == [3, 8]
    np.testing.assert_array_equal(first.videos[1].times_s, again.videos[1].times_s)
    assert (first.videos[1].times_s != other.videos[1].times_s).any()
    with pytest.raises(InputError, match="needs videos"):
        drawn_background([], 8, 1)


@pytest.mark.parametrize("lengths", [[], [3], [6, 1], [0, 5], [-1, 6]])
def test_lengths_that_do_not_fit_are_refused(tmp_path: Path, lengths: list[int]) -> None:
    path = tmp_path / "background.safetensors"
    tensors = {"regions": np.zeros((5, 3, 8)), "lengths": np.array(lengths, dtype=np.int64)}
    save_weights(path, tensors, {})
    with pytest.raises(CorruptArtefactError, match="does not hold a background"):
        Background.load(path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "background.safetensors"
    save_weights(path, {"regions": np.zeros((5, 3, 8))}, {})
    with pytest.raises(CorruptArtefactError, match="lengths"):
        Background.load(path)
