"""A bundle: all models that belong together, in one folder."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

from dns_core.errors import InputError, MissingArtefactError
from dns_core.features.whitening import Whitening
from dns_core.models.checkpoints import LoadedNetwork, load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.selector import Selector
from dns_core.retrieval.background import Background
from dns_core.retrieval.calibration import Calibration
from dns_core.retrieval.index_settings import FINE_NETWORKS, IndexSettings, read_index_settings
from dns_core.store.weights import read_weights

SHIPPED_MODELS = Path(__file__).parent / "shipped"
"""The included bundle; its README.md says what it was trained on."""

BACKGROUND_FILE = "background.safetensors"

_SELECTOR = "selector_"
_NETWORKS = {
    "coarse": "coarse",
    "teacher": "teacher",
    **{fine: fine for fine in FINE_NETWORKS},
    **{_SELECTOR + fine: "selector" for fine in FINE_NETWORKS},
}
# What `fit_whitening` calls the fingerprint of the backbone that made the features.
_EXTRACTOR = "extractor"


class Bundle:
    """Models by role, each read when it is first asked for, in evaluation mode.

    Args:
        folder: holds ``whitening.safetensors``, ``coarse.safetensors``, ``fine_binary.safetensors``,
            ``selector_fine_binary.safetensors`` and so on, ``calibration.json``, the background and
            ``index_settings.json``. What a search does not use need not be there.
        device: torch device that the networks are put on.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.folder = folder
        self.device = device
        self._loaded: dict[str, LoadedNetwork] = {}

    @classmethod
    def load(cls, folder: Path, *, device: str = "cpu") -> "Bundle":
        """The bundle in ``folder``.

        Raises:
            MissingArtefactError: there is no such folder.
        """
        if not folder.is_dir():
            raise MissingArtefactError(f"{folder} is not there; have the models been trained?")
        return cls(folder, device)

    @cached_property
    def whitening(self) -> Whitening:
        """What turns the backbone's regions into those that the networks take."""
        return Whitening.load(self._whitening_file)

    @cached_property
    def calibration(self) -> Calibration:
        """What puts scores on one scale."""
        return Calibration.load(self.folder / "calibration.json")

    @cached_property
    def index_settings(self) -> IndexSettings:
        """How an index of these models cuts and stores videos."""
        return read_index_settings(self.folder)

    @cached_property
    def background(self) -> Background:
        """Background videos, which give the scores of a query with unrelated ones."""
        return Background.load(self.folder / BACKGROUND_FILE)

    @property
    def coarse(self) -> CoarseStudent:
        """The network that gives one vector a chunk."""
        return cast("CoarseStudent", self._loaded_network("coarse").network)

    def fine(self, name: str) -> PairNetwork:
        """The fine network called ``name``; ``teacher`` is one too, though no index holds its vectors.

        Raises:
            InputError: there is no fine network of that name.
        """
        _require(name, (*FINE_NETWORKS, "teacher"))
        return cast("PairNetwork", self._loaded_network(name).network)

    def selector(self, fine: str) -> Selector:
        """The selector trained for one fine network.

        Raises:
            InputError: there is no fine network of that name that has one.
        """
        _require(fine, FINE_NETWORKS)
        return cast("Selector", self._loaded_network(_SELECTOR + fine).network)

    def fingerprint(self, role: str) -> str:
        """Fingerprint of ``whitening``, ``coarse``, ``teacher``, a fine network or ``selector_<fine>``."""
        return self.whitening.fingerprint if role == "whitening" else self._loaded_network(role).fingerprint

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Fingerprint by role of every model that is there; reads them all."""
        there = [role for role in ("whitening", *_NETWORKS) if (self.folder / f"{role}.safetensors").exists()]
        return {role: self.fingerprint(role) for role in there}

    def index_models(self, fines: Sequence[str]) -> dict[str, str]:
        """Fingerprint by role of what makes, and what may search, an index for the networks ``fines``.

        ``backbone`` is among them if the whitening says which one it was fitted on.

        Raises:
            InputError: one of ``fines`` is not a network that an index can serve.
        """
        for fine in fines:
            _require(fine, FINE_NETWORKS)
        roles = ["whitening", "coarse", *fines, *(_SELECTOR + fine for fine in fines)]
        models = {role: self.fingerprint(role) for role in roles}
        _, metadata = read_weights(self._whitening_file)
        return models | ({"backbone": metadata[_EXTRACTOR]} if _EXTRACTOR in metadata else {})

    @property
    def _whitening_file(self) -> Path:
        return self.folder / "whitening.safetensors"

    def _loaded_network(self, role: str) -> LoadedNetwork:
        if role not in self._loaded:
            loaded = load_network(self.folder / f"{role}.safetensors", expect=_NETWORKS[role])
            loaded.network.to(self.device)
            self._loaded[role] = loaded
        return self._loaded[role]


def _require(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise InputError(f"{name!r} is none of the fine networks {', '.join(known)}")
