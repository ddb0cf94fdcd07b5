"""A small public benchmark: networks, features and a ground truth of random content."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from dns_core.datasets.benchmark import Benchmark
from dns_core.models.checkpoints import save_network
from dns_core.models.registry import build_network
from dns_core.records import GroundTruth

DIMS = 64
COARSE = {
    "dims": DIMS,
    "transformer_heads": 2,
    "transformer_feedforward_dims": 32,
    "netvlad_clusters": 4,
    "netvlad_outdims": 16,
}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "fine_attention.t": ("fine_attention", {"dims": DIMS}),
    "fine_binary.t": ("fine_binary", {"dims": DIMS}),
    "coarse.t": ("coarse", COARSE),
    "selector.t": ("selector", {"dims": DIMS, "hidden_size": 8}),
}
QUERIES = ("q0", "q1", "q2")
VIDEOS = tuple(f"v{i}" for i in range(10))
LENGTHS = {**dict.fromkeys(QUERIES, 9), **{v: 1 + 3 * i for i, v in enumerate(VIDEOS)}}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write_networks(folder: Path, *names: str) -> Path:
    torch.manual_seed(0)
    for name in names or NETWORKS:
        architecture, config = NETWORKS[name]
        network = build_network(architecture, config)
        path = folder / f"{name}.safetensors"
        save_network(path, network, architecture=architecture, config=config, provenance={})
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
