"""A bundle: all models that belong together, in one folder."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from dns_core.errors import InputError, MissingArtefactError
from dns_core.features.whitening import Whitening
from dns_core.models.exported import ExportedCoarse, ExportedFine, ExportedSelector, is_exported
from dns_core.models.network_file import NetworkFile, read_network_file
from dns_core.retrieval.background import Background
from dns_core.retrieval.calibration import Calibration
from dns_core.retrieval.index_settings import FINE_NETWORKS, IndexSettings, read_index_settings
from dns_core.retrieval.networks import ChunkNetwork, FineNetwork, SelectorNetwork
from dns_core.store.weights import read_weights

SHIPPED_MODELS = Path(__file__).parent / "shipped"
"""The included bundle; its README.md says what it was trained on."""

BACKGROUND_FILE = "background.safetensors"
WHITENING_FILE = "whitening.safetensors"

_SELECTOR = "selector_"
_NETWORKS = {
    "coarse": "coarse",
    "teacher": "teacher",
    **{fine: fine for fine in FINE_NETWORKS},
    **{_SELECTOR + fine: "selector" for fine in FINE_NETWORKS},
}
SEARCHING_ROLES = tuple(role for role in _NETWORKS if role != "teacher")
"""Names of the networks that searches and indices need."""
# What `fit_whitening` calls the fingerprint of the backbone that made the features.
_EXTRACTOR = "extractor"


class Bundle:
    """Models by role, each read when it is first asked for.

    On a processor exported networks run without torch. Torch runs those that were not exported, and all
    of them on a GPU.

    Args:
        folder: holds ``whitening.safetensors``, ``coarse.safetensors``, ``fine_binary.safetensors``,
            ``selector_fine_binary.safetensors`` and so on, ``calibration.json``, the background and
            ``index_settings.json``. What a search does not use need not be there.
        device: torch device that the networks are put on.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.folder = folder
        self.device = device
        self._files: dict[str, NetworkFile] = {}
        self._networks: dict[str, Any] = {}

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
    def coarse(self) -> ChunkNetwork:
        """The network that gives one vector a chunk."""
        return self._network("coarse")  # type: ignore[no-any-return]

    def fine(self, name: str) -> FineNetwork:
        """The fine network called ``name``; ``teacher`` is one too, though no index holds its vectors.

        Raises:
            InputError: there is no fine network of that name.
        """
        _require(name, (*FINE_NETWORKS, "teacher"))
        return self._network(name)  # type: ignore[no-any-return]

    def selector(self, fine: str) -> SelectorNetwork:
        """The selector trained for one fine network.

        Raises:
            InputError: there is no fine network of that name that has one.
        """
        _require(fine, FINE_NETWORKS)
        return self._network(_SELECTOR + fine)  # type: ignore[no-any-return]

    def fingerprint(self, role: str) -> str:
        """Fingerprint of ``whitening``, ``coarse``, ``teacher``, a fine network or ``selector_<fine>``."""
        return self.whitening.fingerprint if role == "whitening" else self._file(role).fingerprint

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
        return self.folder / WHITENING_FILE

    def _path(self, role: str) -> Path:
        return self.folder / f"{role}.safetensors"

    def _file(self, role: str) -> NetworkFile:
        if role not in self._files:
            self._files[role] = read_network_file(self._path(role), expect=_NETWORKS[role])
        return self._files[role]

    def _network(self, role: str) -> Any:
        if role not in self._networks:
            exported = self.device == "cpu" and is_exported(self._path(role))
            self._networks[role] = self._exported(role) if exported else self._live(role)
        return self._networks[role]

    def _exported(self, role: str) -> Any:
        kinds = {"coarse": ExportedCoarse, "selector": ExportedSelector}
        return kinds.get(_NETWORKS[role], ExportedFine)(self._path(role), self._file(role))

    def _live(self, role: str) -> Any:
        try:
            from dns_core.models.live import load_live
        except ModuleNotFoundError as error:
            raise MissingArtefactError(
                f"{self.folder}: expected {role} as an exported network (.onnx), found none; "
                "pip install 'distill-and-select[train]' and `dns models export` make it"
            ) from error
        return load_live(self._path(role), expect=_NETWORKS[role], device=self.device)


def _require(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise InputError(f"{name!r} is none of the fine networks {', '.join(known)}")
