import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_core.training.augmentation import AUGMENTATIONS, Augmentation, augmented_frames, random_crop


@given(st.integers(4, 60), st.integers(0, 2**16), st.sampled_from(AUGMENTATIONS))
def test_an_augmentation_only_rearranges_frames(n_frames: int, seed: int, augmentation: Augmentation) -> None:
    frames = augmentation(np.arange(n_frames), np.random.default_rng(seed))
    assert len(frames) > 0
    assert set(frames.tolist()) <= set(range(n_frames))


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
def test_an_augmentation_changes_a_video(augmentation: Augmentation) -> None:
    frames = [augmentation(np.arange(12), np.random.default_rng(seed)).tolist() for seed in range(20)]
    assert any(row != list(range(12)) for row in frames)


@given(st.integers(1, 60), st.integers(0, 2**16))
def test_a_video_never_becomes_empty(n_frames: int, seed: int) -> None:
    frames = augmented_frames(n_frames, np.random.default_rng(seed), probability=1.0)
    assert len(frames) > 0


def test_without_probability_nothing_changes() -> None:
    frames = augmented_frames(30, np.random.default_rng(0), probability=0.0)
    assert frames.tolist() == list(range(30))


def test_a_crop_is_a_stretch_of_at_most_the_length() -> None:
    starts = set()
    for seed in range(50):
        crop = random_crop(np.arange(10), 4, np.random.default_rng(seed))
        assert crop.tolist() == list(range(crop[0], crop[0] + 4))
        starts.add(int(crop[0]))
    assert starts == set(range(7))
    assert random_crop(np.arange(3), 4, np.random.default_rng(0)).tolist() == [0, 1, 2]
