"""A bundle: the models of one generation, in one folder."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import cast

from dns_core.errors import InputError, MissingArtefactError
from dns_core.features.whitening import Whitening
from dns_core.models.checkpoints import LoadedNetwork, load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.selector import Selector
from dns_core.retrieval.calibration import Calibration

FINE_NETWORKS = ("fine_binary", "fine_attention")
"""Names of the fine networks that an index can serve."""

_SELECTOR = "selector_"


class Bundle:
    """Models by role, each read when it is first asked for, in evaluation mode.

    Args:
        folder: holds ``whitening.safetensors``, ``coarse.safetensors``, ``fine_binary.safetensors``,
            ``selector_fine_binary.safetensors`` and so on, and ``calibration.json``. What a search does
            not use need not be there.
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
        return Whitening.load(self.folder / "whitening.safetensors")

    @cached_property
    def calibration(self) -> Calibration:
        """What puts scores on one scale."""
        return Calibration.load(self.folder / "calibration.json")

    @property
    def coarse(self) -> CoarseStudent:
        """The network that gives one vector a chunk."""
        return cast("CoarseStudent", self._network("coarse", "coarse"))

    def fine(self, name: str) -> PairNetwork:
        """The fine network called ``name``; ``teacher`` is one too, though no index holds its vectors.

        Raises:
            InputError: there is no fine network of that name.
        """
        if name not in (*FINE_NETWORKS, "teacher"):
            raise InputError(f"{name!r} is no fine network; they are {', '.join(FINE_NETWORKS)} and teacher")
        return cast("PairNetwork", self._network(name, name))

    def selector(self, fine: str) -> Selector:
        """The selector trained for one fine network."""
        return cast("Selector", self._network(_SELECTOR + fine, "selector"))

    def fingerprint(self, role: str) -> str:
        """Fingerprint of one file: ``whitening``, ``coarse``, a fine network or ``selector_<fine>``."""
        if role == "whitening":
            return self.whitening.fingerprint
        self._network(role, "selector" if role.startswith(_SELECTOR) else role)
        return self._loaded[role].fingerprint

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """Fingerprint by role of every model that is there."""
        roles = sorted(path.stem for path in self.folder.glob("*.safetensors"))
        return {role: self.fingerprint(role) for role in roles}

    def index_models(self, fines: tuple[str, ...]) -> dict[str, str]:
        """Fingerprint by role of what makes, and what may search, an index for the networks ``fines``."""
        roles = ["whitening", "coarse", *fines, *(_SELECTOR + fine for fine in fines)]
        return {role: self.fingerprint(role) for role in roles}

    def _network(self, role: str, architecture: str) -> object:
        if role not in self._loaded:
            loaded = load_network(self.folder / f"{role}.safetensors", expect=architecture)
            loaded.network.to(self.device)
            self._loaded[role] = loaded
        return self._loaded[role].network
