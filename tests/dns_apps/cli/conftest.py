"""A real bundle with untrained networks, real little videos, and an index of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from dns_apps.cli.main import app
from dns_core.features.registry import load_backbone
from dns_core.features.whitening import Whitening
from dns_core.index.chunks import Chunking
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.calibration import Calibration, Scale
from dns_core.retrieval.index_settings import IndexSettings, write_index_settings
from dns_core.retrieval.logistic import Logistic
from dns_core.retrieval.pipeline import index_videos
from dns_core.video.encode import write_video
from tests.factories import BUNDLE, DIMS, live_extractor, write_background, write_small_networks

BACKBONE = "efficientnet_lite0.imagenet1k"
NAMES = ("a.mp4", "b.mp4", "folder/c.mp4")
Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """The command line, in this process."""
    runner = CliRunner()

    def invoke(*arguments: object) -> Result:
        return runner.invoke(app, [str(argument) for argument in arguments], prog_name="dns")

    return invoke


def save_bundle(folder: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    description = live_extractor(load_backbone(BACKBONE)).description
    width = description.dims
    axes = np.linalg.qr(rng.normal(size=(width, DIMS)))[0].astype(np.float32)
    whitening = Whitening(np.zeros(width, dtype=np.float32), axes)
    whitening.save(folder / "whitening.safetensors", description.metadata)
    write_small_networks(folder, BUNDLE, seed)
    write_background(folder, 9, seed)
    scale = Scale(1.0, -0.5, 0.5, -0.6, -0.3, Logistic(8.0, -2.0))
    scales = dict.fromkeys(("fine_attention", "fine_binary"), scale)
    thresholds = {"fine_attention": 0.5, "fine_binary": 0.5}
    Calibration(scales, thresholds).save(folder / "calibration.json")
    write_index_settings(folder, IndexSettings(Chunking(4, 0)))


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models."""
    folder = tmp_path_factory.mktemp("models")
    save_bundle(folder, seed=1)
    return folder


@pytest.fixture(scope="session")
def other_models(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another generation: the same but for the coarse network."""
    folder = tmp_path_factory.mktemp("other") / "models"
    shutil.copytree(models, folder)
    write_small_networks(folder, {"coarse": "coarse"}, seed=7)
    return folder


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three videos of 3 s of moving blobs, and a file that is no video."""
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(NAMES):
        rng = np.random.default_rng(seed)
        scenes = rng.integers(0, 255, (3, 6, 8, 3), dtype=np.uint8)
        frames = [np.kron(scene, np.ones((16, 16, 1), dtype=np.uint8)) for scene in scenes for _ in range(8)]
        write_video(folder / name, frames, fps=8.0)
    (folder / "broken.mp4").write_bytes(b"no video at all")
    return folder


@pytest.fixture(scope="session")
def built(models: Path, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the videos; tests must not change it."""
    path = tmp_path_factory.mktemp("built") / "index"
    index_videos(videos, path, Bundle.load(models))
    return path


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    """An index that a test may change."""
    path = tmp_path / "index"
    shutil.copytree(built, path)
    return path
