import dataclasses
import threading
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor, nn

from dns_core.errors import MismatchError, ParamsError, VideoError
from dns_core.features.backbone import Backbone
from dns_core.features.cards import BACKBONES
from dns_core.features.description import Description
from dns_core.features.luma import luma_patterns
from dns_core.features.registry import load_backbone
from dns_core.records import UInt8Array
from dns_core.video.decode import Sampling, decode_frames
from dns_core.video.encode import write_video
from tests.factories import live_extractor

LITE = "efficientnet_lite0.imagenet1k"
SAMPLING = Sampling(fps=4.0, resize_px=64, crop_px=48, chunk_frames=5)


class _Toy(nn.Module):
    """Two stages of untrained convolutions; remembers the sizes of its batches."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, stride=2)
        self.second = nn.Conv2d(4, 8, 3, stride=2)
        self.batches: list[int] = []

    def stage_maps(self, images: Tensor) -> list[Tensor]:
        self.batches.append(len(images))
        x = self.first(images)
        return [x, self.second(x)]


def _photograph(name: str) -> UInt8Array:
    picture: UInt8Array = getattr(skimage.data, name)()
    return picture


@pytest.fixture
def toy() -> Backbone:
    return Backbone(_Toy(), dataclasses.replace(BACKBONES[LITE], name="toy", stages=(4, 8)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s of a window that moves over a photograph: 12 frames at 4 a second."""
    photograph = _photograph("coffee")
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    write_video(
        path, [np.ascontiguousarray(photograph[k : k + 96, 4 * k : 4 * k + 128]) for k in range(36)], 12.0
    )
    return path


def _frames(n: int) -> UInt8Array:
    return np.random.default_rng(0).integers(0, 256, (n, 48, 48, 3), dtype=np.uint8)


def test_frames_give_unit_vectors_in_batches(toy: Backbone) -> None:
    extractor = live_extractor(toy, batch_frames=4)
    regions = extractor.frames_to_regions(_frames(10))
    assert regions.shape == (10, 9, 12)
    assert regions.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(regions, axis=-1), 1, rtol=1e-5)
    assert toy.network.batches == [4, 4, 2]
    np.testing.assert_allclose(live_extractor(toy).frames_to_regions(_frames(10)), regions, atol=1e-6)


def test_frames_are_normalised_as_the_card_says(toy: Backbone) -> None:
    frames = _frames(2)
    card = toy.card
    images = (frames / 255 - np.array(card.mean)) / np.array(card.std)
    expected = toy(torch.from_numpy(images.astype(np.float32)).permute(0, 3, 1, 2))
    np.testing.assert_allclose(live_extractor(toy).frames_to_regions(frames), expected, atol=1e-5)


def test_no_frames_give_no_regions(toy: Backbone) -> None:
    assert live_extractor(toy).frames_to_regions(_frames(0)).shape == (0, 9, 12)


def test_a_video_gives_the_regions_of_its_decoded_frames(toy: Backbone, clip: Path) -> None:
    features = live_extractor(toy, batch_frames=4).extract(clip, "a/clip.mp4", SAMPLING)
    chunks = list(decode_frames(clip, SAMPLING))
    assert features.video_id == "a/clip.mp4"
    assert features.n_frames == 12
    np.testing.assert_array_equal(features.times_s, np.concatenate([chunk.times_s for chunk in chunks]))
    frames = np.concatenate([chunk.frames for chunk in chunks])
    expected = live_extractor(toy, batch_frames=4).frames_to_regions(frames)
    np.testing.assert_array_equal(features.regions, expected)


@pytest.mark.parametrize("chunk_frames", [1, 3, 8, 64])
def test_batches_and_results_do_not_depend_on_the_decoders_chunks(
    toy: Backbone, clip: Path, chunk_frames: int
) -> None:
    expected = live_extractor(toy, batch_frames=5).extract(clip, "v", SAMPLING)
    toy.network.batches.clear()
    sampling = dataclasses.replace(SAMPLING, chunk_frames=chunk_frames)
    features = live_extractor(toy, batch_frames=5).extract(clip, "v", sampling)
    assert toy.network.batches == [5, 5, 2]
    np.testing.assert_array_equal(features.regions, expected.regions)
    np.testing.assert_array_equal(features.times_s, expected.times_s)


def test_what_cannot_be_decoded_is_said_by_the_decoder(toy: Backbone, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError):
        live_extractor(toy).extract(tmp_path / "text.mp4", "v", SAMPLING)


def test_a_stream_that_is_dropped_leaves_no_thread(toy: Backbone, clip: Path) -> None:
    stream = live_extractor(toy, batch_frames=1).stream(clip, SAMPLING)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert "prefetch" not in {thread.name for thread in threading.enumerate()}


def test_a_network_that_fails_stops_the_decoder(toy: Backbone, clip: Path) -> None:
    toy.network.stage_maps = lambda images: 1 / 0  # noqa: ARG005
    with pytest.raises(ZeroDivisionError):
        live_extractor(toy, batch_frames=1).extract(clip, "v", SAMPLING)
    assert "prefetch" not in {thread.name for thread in threading.enumerate()}


def test_bfloat16_stays_close_to_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    backbone = load_backbone(LITE)
    frames = np.stack([_photograph(name)[:224, :224] for name in ("chelsea", "coffee", "astronaut")])
    exact = live_extractor(backbone).frames_to_regions(frames)
    rough = live_extractor(backbone, precision="bf16").frames_to_regions(frames)
    cosines = (exact * rough).sum(axis=-1)
    assert rough.dtype == np.float32
    assert cosines.mean() > 0.999
    assert cosines.min() > 0.995
    assert cosines.min() < 1 - 1e-6  # that is, it was another precision


def test_the_fingerprint_tells_the_precision_and_not_the_batch(toy: Backbone) -> None:
    fingerprint = live_extractor(toy).fingerprint
    assert live_extractor(toy, batch_frames=3).fingerprint == fingerprint
    assert live_extractor(toy, precision="bf16").fingerprint != fingerprint


def test_luma_stands_beside_the_network_at_its_weight(toy: Backbone) -> None:
    frames = _frames(3)
    plain, both = live_extractor(toy), live_extractor(toy, luma_weight=0.5)
    regions = both.frames_to_regions(frames)
    assert regions.shape == (3, 9, 12 + 64) == (3, 9, both.description.dims)
    np.testing.assert_allclose(np.linalg.norm(regions, axis=-1), 1, atol=1e-5)
    networks = regions[..., :12] / np.linalg.norm(regions[..., :12], axis=-1, keepdims=True)
    np.testing.assert_allclose(networks, plain.frames_to_regions(frames), atol=1e-5)
    patterns = luma_patterns(torch.from_numpy(frames).permute(0, 3, 1, 2)).numpy()
    lengths = np.linalg.norm(regions[..., :12], axis=-1, keepdims=True)
    np.testing.assert_allclose(regions[..., 12:] / lengths, 0.5 * patterns, atol=1e-5)
    assert both.fingerprint != plain.fingerprint


def test_a_description_is_the_same_again() -> None:
    description = Description(BACKBONES[LITE], 2.0, precision="bf16", luma_weight=0.75)
    assert Description.of({**description.metadata, "another": "key"}) == description
    assert description.sampling.fps == 2.0
    with pytest.raises(MismatchError, match="extractor"):
        Description.of({**description.metadata, "luma_weight": "1.0"})
    with pytest.raises(KeyError):
        Description.of({"backbone": LITE})


def test_which_frames_are_sampled_is_part_of_a_description_but_changes_no_vector() -> None:
    often, seldom = (Description(BACKBONES[LITE], sampling_fps=fps) for fps in (4.0, 0.5))
    assert often != seldom
    assert often.fingerprint == seldom.fingerprint
    assert Description.of(seldom.metadata).sampling.fps == 0.5
    with pytest.raises(ParamsError, match="sampling_fps must be above 0"):
        Description(BACKBONES[LITE], sampling_fps=0.0)


def test_settings_out_of_range_are_refused(toy: Backbone) -> None:
    with pytest.raises(ParamsError, match="luma_weight"):
        live_extractor(toy, luma_weight=-1)
    with pytest.raises(ParamsError, match="batch_frames"):
        live_extractor(toy, batch_frames=0)
    with pytest.raises(ParamsError, match="precision"):
        live_extractor(toy, precision="fp8")


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what happens where there is no GPU")
def test_a_device_that_is_not_there_is_named(toy: Backbone) -> None:
    with pytest.raises(ParamsError, match="cuda:0"):
        live_extractor(toy, device="cuda:0")
