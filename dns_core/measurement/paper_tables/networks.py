"""The networks of one evaluation, from a folder of imported or trained models."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from torch import nn

from dns_core.errors import InputError, MissingArtefactError
from dns_core.models.checkpoints import LoadedNetwork, load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.registry import build_network
from dns_core.models.selector import Selector
from dns_core.records import ScoringRule

FINE_ROLES = ("fine_attention", "fine_binary", "teacher")
"""Networks that compare frame by frame; all but the teacher may have a selector."""


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks under one of the two rules.

    Attributes:
        compatibility: the rule: masks, zeros and short videos as in the reference, or corrected.
        coarse: one vector a video; None if the folder has none.
        fines: fine networks by role.
        selectors: selectors by the role of the fine network that they serve.
        fingerprints: of every network by role.
        dims: D of the features that all of them take.
        device: torch device that all of them are on.
    """

    compatibility: ScoringRule
    coarse: CoarseStudent | None
    fines: Mapping[str, PairNetwork]
    selectors: Mapping[str, Selector]
    fingerprints: Mapping[str, str]
    dims: int
    device: str

    @property
    def numbered(self) -> tuple[str, ...]:
        """Fine roles that can be re-ranked: they have a selector, and there is a coarse student."""
        return tuple(self.selectors) if self.coarse is not None else ()


def load_networks(folder: Path, compatibility: ScoringRule, device: str = "cpu") -> Networks:
    """The networks in ``folder``, all set to one rule, regardless of their files.

    A role is the file ``ROLE.safetensors`` or ``ROLE.TAG.safetensors``, the selector of a fine network
    ``selector_ROLE.safetensors`` or ``selector.ROLE.safetensors``; a single ``selector.TAG.safetensors``
    serves all of them.

    Raises:
        MissingArtefactError: there is no folder, or no network in it.
        InputError: two files claim one role, or networks take features of different dimensions.
        MismatchError: a file holds another architecture than its name says.
        CorruptArtefactError: a file is not a network.
    """
    if not folder.is_dir():
        raise MissingArtefactError(f"{folder} is not there; import networks with dns weights import")
    files = {role: _file_of(folder, role) for role in ("coarse", *FINE_ROLES)}
    loaded = {role: load_network(file, expect=role) for role, file in files.items() if file is not None}
    if not loaded:
        raise MissingArtefactError(f"{folder} holds no {', '.join(files)}: expected ROLE.TAG.safetensors")
    for role in FINE_ROLES[:2]:
        file = _selector_file(folder, role)
        if role in loaded and file is not None:
            loaded[f"selector_{role}"] = load_network(file, expect="selector")
    networks = {role: _following(each, compatibility).to(device).eval() for role, each in loaded.items()}
    return Networks(
        compatibility,
        cast("CoarseStudent | None", networks.get("coarse")),
        {role: cast("PairNetwork", networks[role]) for role in FINE_ROLES if role in networks},
        {r: cast("Selector", networks[f"selector_{r}"]) for r in FINE_ROLES if f"selector_{r}" in networks},
        {role: each.fingerprint for role, each in loaded.items()},
        _common_dims(folder, loaded),
        device,
    )


def _following(loaded: LoadedNetwork, compatibility: ScoringRule) -> nn.Module:
    config: dict[str, Any] = dict(loaded.config)
    if loaded.architecture != "coarse":  # it is the same under both
        config["compatibility"] = compatibility
    network = build_network(loaded.architecture, config)
    network.load_state_dict(loaded.network.state_dict())
    return network


def _common_dims(folder: Path, loaded: Mapping[str, LoadedNetwork]) -> int:
    dims = {role: int(each.config.get("dims", 512)) for role, each in loaded.items()}
    if len(set(dims.values())) > 1:
        found = ", ".join(f"{role} {n}" for role, n in dims.items())
        raise InputError(f"{folder}: expected networks for features of one dimension, found {found}")
    return next(iter(dims.values()))


def _file_of(folder: Path, role: str) -> Path | None:
    return _only(folder, role, [*folder.glob(f"{role}.safetensors"), *folder.glob(f"{role}.*.safetensors")])


def _selector_file(folder: Path, role: str) -> Path | None:
    own = [folder / f"selector_{role}.safetensors", folder / f"selector.{role}.safetensors"]
    found = [path for path in own if path.exists()]
    return _only(folder, f"selector of {role}", found or list(folder.glob("selector.*.safetensors")))


def _only(folder: Path, role: str, found: list[Path]) -> Path | None:
    if len(found) > 1:
        names = ", ".join(sorted(path.name for path in found))
        raise InputError(f"{folder}: expected one {role}, found {names}")
    return found[0] if found else None
