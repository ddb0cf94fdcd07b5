"""Videos drawn from the training videos do not drift, others do."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.data_checks.drift import training_profile, video_vector
from dns_core.store.feature_store import FeatureStore, FeatureWriter


@pytest.fixture
def store(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    writer = FeatureWriter(tmp_path / "train.hdf5", metadata={}, partial=tmp_path / "partial")
    names = [f"{row}.mp4" for row in range(40)]
    for name in names:
        writer.write(name, [(videos(rng, 0.0), np.arange(5.0))], source=name)
    writer.finish(names)
    return tmp_path / "train.hdf5"


def videos(rng: np.random.Generator, shift: float) -> np.ndarray:
    regions = rng.normal(size=(1, 1, 8)) + rng.normal(scale=0.1, size=(5, 3, 8)) + shift
    return np.asarray(regions / np.linalg.norm(regions, axis=-1, keepdims=True), dtype=np.float32)


def test_drift_tells_footage_of_the_same_kind_from_another(store: Path) -> None:
    with FeatureStore.open(store) as opened:
        profile = training_profile(opened)
    rng = np.random.default_rng(1)
    same = np.stack([video_vector(videos(rng, 0.0)) for _ in range(20)])
    other = np.stack([video_vector(videos(rng, 3.0)) for _ in range(20)])
    assert profile.drift(same) < 0.5
    assert profile.drift(other) > 0.8
    both = profile.distances(np.stack([same[0], other[0]]))
    assert len(both) == 2
    assert profile.drift(same[:1]) == pytest.approx(both[0])
