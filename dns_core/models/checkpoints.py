"""Networks as files: weights, what to build them into, and where they come from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from dns_core.errors import CorruptArtefactError, MismatchError, ParamsError
from dns_core.models.registry import build_network
from dns_core.store.fingerprints import fingerprint_bytes, fingerprint_json
from dns_core.store.weights import read_weights, save_weights

_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A network read from a file.

    Attributes:
        network: in evaluation mode, on the CPU.
        architecture: its key in `ARCHITECTURES`.
        config: what it was built of.
        provenance: what it was made from and how, as its maker wrote.
        fingerprint: of architecture, config and weights; provenance does not change it.
    """

    network: nn.Module
    architecture: str
    config: Mapping[str, Any]
    provenance: Mapping[str, str]
    fingerprint: str


def save_network(
    path: Path,
    network: nn.Module,
    *,
    architecture: str,
    config: Mapping[str, Any],
    provenance: Mapping[str, str],
) -> str:
    """The fingerprint of ``network``, which ``path`` now holds with all that rebuilds it.

    Raises:
        ParamsError: ``config`` does not build a network with these weights.
    """
    tensors = network.state_dict()
    problem = tensor_differences(build_network(architecture, config), tensors)
    if problem:
        raise ParamsError(f"{architecture} of {dict(config)} is not this network: {problem}")
    metadata = {
        "format": _FORMAT,
        "architecture": architecture,
        "config": json.dumps(dict(config), sort_keys=True),
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    save_weights(path, tensors, metadata)
    return network_fingerprint(architecture, config, tensors)


def load_network(path: Path, *, expect: str | None = None) -> LoadedNetwork:
    """The network that `save_network` wrote to ``path``.

    Args:
        path: a file of `save_network`.
        expect: the architecture that it must have; any if None.

    Raises:
        MissingArtefactError: there is no such file.
        MismatchError: the file holds another architecture than ``expect``.
        CorruptArtefactError: weights are missing, unexpected or of another shape, or it is not a
            network's file.
    """
    tensors, metadata = read_weights(path)
    architecture, config, provenance = _described(path, metadata)
    if expect is not None and architecture != expect:
        raise MismatchError(f"architecture of {path}", expect, architecture)
    try:
        network = build_network(architecture, config)
    except ParamsError as error:
        raise CorruptArtefactError(f"{path}: {error}") from error
    problem = tensor_differences(network, tensors)
    if problem:
        raise CorruptArtefactError(f"{path}: {problem}")
    network.load_state_dict(tensors)
    fingerprint = network_fingerprint(architecture, config, tensors)
    return LoadedNetwork(network.eval(), architecture, config, provenance, fingerprint)


def network_fingerprint(architecture: str, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """16 hex digits that two networks share if they are built alike and hold the same weights."""
    weights = {
        name: [str(tensor.dtype), list(tensor.shape), fingerprint_bytes(_content(tensor))]
        for name, tensor in tensors.items()
    }
    return fingerprint_json({"architecture": architecture, "config": dict(config), "weights": weights})


def _content(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().numpy().tobytes()


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Architecture, config and provenance of a file's metadata."""
    if metadata.get("format") != _FORMAT:
        raise CorruptArtefactError(f"{path} is not a network of format {_FORMAT}")
    try:
        return metadata["architecture"], json.loads(metadata["config"]), json.loads(metadata["provenance"])
    except (KeyError, ValueError) as error:
        raise CorruptArtefactError(f"{path} does not say what network it holds: {error}") from error


def tensor_differences(network: nn.Module, tensors: Mapping[str, Tensor]) -> str:
    """How ``tensors`` differ from what ``network`` needs, by name; empty if they fit."""
    needed = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    parts = [f"missing {name}" for name in sorted(needed.keys() - found.keys())]
    parts += [f"unexpected {name}" for name in sorted(found.keys() - needed.keys())]
    parts += [
        f"{name} is {found[name]}, not {needed[name]}"
        for name in sorted(needed.keys() & found.keys())
        if needed[name] != found[name]
    ]
    return "; ".join(parts)
