"""A small corpus of region vectors: six pairs of videos that share footage, with edited copies."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dns_core.records import Float32Array, Float64Array
from dns_core.store.feature_store import FeatureStore, FeatureWriter
from dns_core.training.batches import FeatureSet, view_id

DIMS = 64
N_REGIONS = 4
N_VIEWS = 2


def unit(vectors: Float64Array | Float32Array) -> Float32Array:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / norms, dtype=np.float32)


def noisy(regions: Float32Array, rng: np.random.Generator, amount: float) -> Float32Array:
    return unit(regions + amount * rng.standard_normal(regions.shape) / np.sqrt(DIMS))


def write_store(path: Path, videos: dict[str, Float32Array]) -> FeatureStore:
    writer = FeatureWriter(path, metadata={"name": path.stem}, partial=path.with_suffix(".partial"))
    for video_id, regions in videos.items():
        writer.write(video_id, [(regions, np.arange(len(regions), dtype=np.float64))])
    writer.finish(list(videos))
    return FeatureStore.open(path)


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[FeatureSet]:
    """Videos ``v0.mp4`` to ``v11.mp4``: 2k and 2k + 1 share six frames; two noisy copies of each."""
    rng = np.random.default_rng(7)
    videos: dict[str, Float32Array] = {}
    for pair in range(6):
        shared = unit(rng.standard_normal((6, N_REGIONS, DIMS)))
        for member in range(2):
            own = unit(rng.standard_normal((4 + pair, N_REGIONS, DIMS)))
            videos[f"v{2 * pair + member}.mp4"] = np.concatenate([own, shared])
    views = {
        view_id(video_id, number): noisy(regions, rng, 0.4 + 0.4 * number)
        for video_id, regions in videos.items()
        for number in range(N_VIEWS)
    }
    with (
        write_store(tmp_path / "train.hdf5", videos) as train,
        write_store(tmp_path / "views.hdf5", views) as copies,
    ):
        yield FeatureSet([train, copies])


@pytest.fixture
def sources(corpus: FeatureSet) -> tuple[str, ...]:
    return tuple(video_id for video_id in corpus.ids if "#" not in video_id)
