"""The models that come with the software: whole, small, documented, and able to find a degraded excerpt."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from dns_core.index import open_index
from dns_core.records import UInt8Array
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.index_settings import FINE_NETWORKS
from dns_core.retrieval.pipeline import index_videos, open_features, query_video
from dns_core.video import write_video

PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "retina", "immunohistochemistry")


def _pan(name: str, n_frames: int = 60) -> UInt8Array:
    """A camera that moves over a photograph."""
    picture = Image.fromarray(getattr(skimage.data, name)()[..., :3])
    scaled = np.asarray(picture.resize((480, 360)))
    lefts = np.linspace(0, 480 - 320, n_frames).astype(int)
    return np.stack([scaled[60:300, left : left + 320] for left in lefts])


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return Bundle.load(SHIPPED_MODELS)


def test_the_bundle_is_whole_and_small(bundle: Bundle) -> None:
    assert sum(path.stat().st_size for path in SHIPPED_MODELS.iterdir()) <= 15_000_000
    for fine in FINE_NETWORKS:
        assert bundle.fine(fine)
        assert bundle.selector(fine)
        assert bundle.calibration.scale(fine)
        assert bundle.calibration.frame_threshold(fine)
    assert bundle.fine("teacher")
    assert bundle.coarse
    assert open_features(bundle).whitening.dims == 512


def test_the_card_says_what_the_models_are(bundle: Bundle) -> None:
    card = (SHIPPED_MODELS / "README.md").read_text(encoding="utf-8")
    for heading in ("Training data", "Licences", "Figures", "Limits", "Threshold"):
        assert f"## {heading}" in card
    assert bundle.fingerprint("teacher") in card


def test_a_tiny_grey_excerpt_finds_its_source_at_once(bundle: Bundle, tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    for name in PICTURES:
        write_video(videos / f"{name}.mp4", _pan(name), fps=10)
    index_videos(videos, tmp_path / "index", bundle)
    tiny = [Image.fromarray(frame).convert("L").resize((64, 48)) for frame in _pan("chelsea")[20:50]]
    query = tmp_path / "query.mp4"
    write_video(query, np.stack([np.asarray(frame.convert("RGB")) for frame in tiny]), fps=10)
    engine = Engine(open_index(tmp_path / "index"), bundle)
    result = query_video(engine, open_features(bundle), query, top_k=6, budget=Budget(share=0.5))
    best, second, *_ = result.results
    assert best.video_id == "chelsea.mp4"
    assert best.score > 2 * second.score
    # A slow camera also matches a little aside; the longest stretch is the excerpt.
    segment = max(best.segments, key=lambda s: s.query_end_s - s.query_start_s)
    assert segment.target_start_s == pytest.approx(2.0, abs=1.0)
    assert segment.target_end_s == pytest.approx(5.0, abs=1.0)
