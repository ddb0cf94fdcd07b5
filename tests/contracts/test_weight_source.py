"""Every WeightSource gives the same file again and again, and says what to do about one that is not there."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from dns_core.errors import MismatchError, MissingArtefactError
from dns_core.features.cards import BACKBONES, BackboneCard
from dns_core.features.pretrained import PublishedWeights, read_pretrained
from dns_core.ports import WeightSource

Source = tuple[WeightSource, BackboneCard]
NAME = "resnet50.imagenet1k_v1"


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A file of weights, named by its digest as publishers do."""
    path = tmp_path / "weights.pth"
    torch.save({"weight": torch.arange(3.0)}, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return path.rename(tmp_path / f"net-{digest[:8]}.pth")


@pytest.fixture
def card(published: Path) -> BackboneCard:
    """A card that pins the file."""
    digest = hashlib.sha256(published.read_bytes()).hexdigest()
    return replace(BACKBONES[NAME], weights_sha256=digest)


@pytest.fixture(params=["of a package", "of the cache"])
def source(
    request: pytest.FixtureRequest,
    published: Path,
    card: BackboneCard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Source:
    """A source of the file, and its card; the fetch runs over a file URL."""
    if request.param == "of the cache":
        monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
        card = replace(card, weights_url=published.as_uri(), package="")
        return PublishedWeights(card), card
    models = tmp_path / "package_of_weights" / "models"
    models.mkdir(parents=True)
    (models.parent / "__init__.py").touch()
    published.rename(models / published.name)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "package_of_weights", raising=False)
    card = replace(card, weights_url="", package="package_of_weights")
    return PublishedWeights(card), card


def test_the_file_is_the_same_each_time_and_is_what_the_card_pins(source: Source) -> None:
    weights, card = source
    first, again = weights.locate(NAME), weights.locate(NAME)
    assert first == again
    state = read_pretrained(card, weights)
    assert state["weight"].tolist() == [0.0, 1.0, 2.0]


def test_a_file_that_was_changed_since_is_refused(source: Source) -> None:
    weights, card = source
    path = weights.locate(NAME)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MismatchError, match=card.weights_sha256[:8]):
        read_pretrained(card, weights)


def test_a_file_that_is_not_there_is_one_message(source: Source, published: Path) -> None:
    weights, _ = source
    weights.locate(NAME).unlink()
    published.unlink(missing_ok=True)
    with pytest.raises(MissingArtefactError, match=published.name[3:11]):
        weights.locate(NAME)
