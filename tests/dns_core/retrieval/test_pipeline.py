"""The models say how files are to be described, and nothing else is accepted."""

from pathlib import Path

import numpy as np
import pytest

from dns_core.errors import CorruptArtefactError, MismatchError, MissingArtefactError, ParamsError, VideoError
from dns_core.features.cards import BACKBONES
from dns_core.features.description import Description
from dns_core.features.whitening import Whitening
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.pipeline import open_features
from dns_core.video.encode import write_video

BACKBONE = "efficientnet_lite0.imagenet1k"


def bundle_of(folder: Path, **changed: str | None) -> Bundle:
    """A bundle with a whitening alone; ``changed`` replaces metadata, None leaves a key out."""
    description = Description(BACKBONES[BACKBONE], sampling_fps=2.0, precision="bf16")
    metadata = {**description.metadata, **changed}
    width = description.dims
    axes = np.eye(width, 16, dtype=np.float32)
    written = {key: value for key, value in metadata.items() if value is not None}
    Whitening(np.zeros(width, dtype=np.float32), axes).save(folder / "whitening.safetensors", written)
    return Bundle.load(folder)


def test_the_precision_is_told_from_the_fingerprint_and_frames_are_whitened(tmp_path: Path) -> None:
    pipeline = open_features(bundle_of(tmp_path))
    assert (
        pipeline.extractor.fingerprint
        == Description(BACKBONES[BACKBONE], sampling_fps=2.0, precision="bf16").fingerprint
    )
    assert (pipeline.sampling.fps, pipeline.sampling.resize_px, pipeline.sampling.crop_px) == (2.0, None, 224)
    picture = np.random.default_rng(0).integers(0, 100, (48, 64, 3), dtype=np.uint8)
    frames = [picture + np.uint8(10 * n) for n in range(8)]
    write_video(tmp_path / "clip.mp4", frames, fps=4.0)
    video = pipeline.features(tmp_path / "clip.mp4", "name")
    assert video.video_id == "name"
    np.testing.assert_allclose(video.times_s, [0.0, 0.5, 1.0, 1.5])
    assert video.regions.shape == (4, 9, 16)
    np.testing.assert_allclose(np.linalg.norm(video.regions, axis=-1), 1, atol=1e-5)
    (tmp_path / "none.mp4").write_bytes(b"none")
    with pytest.raises(VideoError):
        pipeline.features(tmp_path / "none.mp4", "none")


@pytest.mark.parametrize("key", ["backbone", "sampling_fps", "extractor"])
def test_a_whitening_that_does_not_say_what_it_was_fitted_on_is_refused(tmp_path: Path, key: str) -> None:
    bundle = bundle_of(tmp_path, **{key: None})
    with pytest.raises(CorruptArtefactError, match=key):
        open_features(bundle)


def test_another_description_is_refused(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, extractor="0123456789abcdef")
    with pytest.raises(MismatchError, match="0123456789abcdef"):
        open_features(bundle)


def test_an_unknown_backbone_is_refused(tmp_path: Path) -> None:
    bundle = bundle_of(tmp_path, backbone="no_such.backbone")
    with pytest.raises(ParamsError, match=r"no_such\.backbone"):
        open_features(bundle)


def test_a_bundle_without_whitening_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingArtefactError, match="whitening"):
        open_features(Bundle.load(tmp_path))
