from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dns_core.features.whitening import Whitening
from dns_core.index import Chunking, Index, build_index, open_index
from dns_core.records import Quarantined, VideoFeatures
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.calibration import Calibration, Scale
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.index_settings import IndexSettings, write_index_settings
from dns_core.retrieval.logistic import Logistic
from dns_core.similarity.comparator import Comparator
from tests.factories import BUNDLE, DIMS, write_background, write_small_networks

REGIONS = 3
CHUNKING = Chunking(chunk_frames=16, overlap_frames=4)


def let_through(network: nn.Module) -> None:
    """Make comparators pass similarities on, roughly: copies then score highest."""
    for comparator in (module for module in network.modules() if isinstance(module, Comparator)):
        with torch.no_grad():
            for layer in (comparator.conv1, comparator.conv2, comparator.conv3, comparator.fconv):
                layer.weight.mul_(0.1)
                middle = layer.weight.shape[-1] // 2
                layer.weight[0, 0, middle, middle] += 1.0


def write_networks(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    projection = np.linalg.qr(rng.normal(size=(DIMS, DIMS)))[0].astype(np.float32)
    whitening = Whitening(np.zeros(DIMS, dtype=np.float32), projection)
    whitening.save(folder / "whitening.safetensors", {"extractor": f"backbone of {seed}"})
    write_small_networks(folder, {"teacher": "teacher", **BUNDLE}, seed, let_through)
    write_background(folder, REGIONS, seed)
    scale = Scale(1.0, -0.5, 0.5, -0.6, -0.3, Logistic(8.0, -2.0))
    scales = dict.fromkeys(("fine_attention", "fine_binary", "teacher"), scale)
    thresholds = {"fine_attention": 0.15, "fine_binary": 0.5, "teacher": 0.15}
    Calibration(scales, thresholds).save(folder / "calibration.json")
    write_index_settings(folder, IndexSettings(CHUNKING))


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("bundle")
    write_networks(folder, seed=1)
    return Bundle.load(folder)


@pytest.fixture(scope="session")
def other_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("other bundle")
    write_networks(folder, seed=2)
    return Bundle.load(folder)


def features_of(video_id: str, n_frames: int) -> VideoFeatures:
    rng = np.random.default_rng(list(video_id.encode()))
    regions = rng.normal(size=(n_frames, REGIONS, DIMS)).astype(np.float32)
    regions /= np.linalg.norm(regions, axis=-1, keepdims=True)
    return VideoFeatures(video_id, regions, np.arange(n_frames, dtype=np.float64))


@pytest.fixture(scope="session")
def make_features() -> Callable[[str, int], VideoFeatures]:
    """Random features, the same for the same id."""
    return features_of


@pytest.fixture(scope="session")
def videos() -> dict[str, VideoFeatures]:
    """Database of 14 videos of 1 to 70 frames; ``copy of v05`` and ``a copy of v05`` are v05 again."""
    lengths = [1, 2, 3, 4, 5, 7, 12, 16, 17, 23, 40, 70]
    made = {f"v{n:02d}": features_of(f"v{n:02d}", length) for n, length in enumerate(lengths)}
    for name in ("copy of v05", "a copy of v05"):
        made[name] = VideoFeatures(name, made["v05"].regions, made["v05"].times_s)
    return made


@pytest.fixture(scope="session")
def index_path(
    tmp_path_factory: pytest.TempPathFactory, bundle: Bundle, videos: dict[str, VideoFeatures]
) -> Path:
    path = tmp_path_factory.mktemp("index")
    encoder = VideoEncoder(bundle)
    lost = [Quarantined("lost.mp4", "corrupt", "no frame decodes"), Quarantined("gone.mp4", "empty", "")]
    records = (encoder.encode(video) for video in videos.values())
    build_index(path, records, encoder.origin, quarantine=lost)
    return path


@pytest.fixture
def index(index_path: Path) -> Index:
    return open_index(index_path)
