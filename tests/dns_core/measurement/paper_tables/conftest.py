"""A small public benchmark: networks, features and a ground truth of random content."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from dns_core.datasets.benchmark import Benchmark
from dns_core.records import GroundTruth
from tests.factories import DIMS, write_small_networks

NETWORKS = {
    "fine_attention.t": "fine_attention",
    "fine_binary.t": "fine_binary",
    "coarse.t": "coarse",
    "selector.t": "selector",
}
QUERIES = ("q0", "q1", "q2")
VIDEOS = tuple(f"v{i}" for i in range(10))
LENGTHS = {**dict.fromkeys(QUERIES, 9), **{v: 1 + 3 * i for i, v in enumerate(VIDEOS)}}


def write_networks(folder: Path, *names: str) -> Path:
    write_small_networks(folder, {name: NETWORKS[name] for name in names or NETWORKS}, seed=0)
    return folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_networks(tmp_path / "models")


@pytest.fixture
def features(tmp_path: Path) -> Callable[..., Path]:
    """A feature file; arguments replace a video's features, or leave it out."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "features.hdf5"
        with h5py.File(path, "w") as file:
            for number, (video, length) in enumerate(LENGTHS.items()):
                regions = np.random.default_rng(number).standard_normal((length, 9, DIMS))
                regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
                changed = changes.get(video, regions)
                if changed is not None:
                    file[video] = changed.astype(np.float32)
        return path

    return write


@pytest.fixture
def benchmark() -> Benchmark:
    labels = {query: {VIDEOS[i]: "+", VIDEOS[i + 4]: "+"} for i, query in enumerate(QUERIES)}
    return Benchmark("EVVE", GroundTruth(QUERIES, VIDEOS, labels, {"mAP": ("+",)}))
