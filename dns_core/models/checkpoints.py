"""Networks as files: weights, what to build them into, and where they come from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch
from torch import nn

from dns_core.errors import CorruptArtefactError, ParamsError
from dns_core.models.network_file import read_network_file, write_network_file
from dns_core.models.registry import build_network


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
    arrays = arrays_of(network)
    problem = tensor_differences(build_network(architecture, config), arrays)
    if problem:
        raise ParamsError(f"{architecture} of {dict(config)} is not this network: {problem}")
    return write_network_file(path, arrays, architecture=architecture, config=config, provenance=provenance)


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
    file = read_network_file(path, expect=expect)
    try:
        network = build_network(file.architecture, file.config)
    except ParamsError as error:
        raise CorruptArtefactError(f"{path}: {error}") from error
    problem = tensor_differences(network, file.arrays)
    if problem:
        raise CorruptArtefactError(f"{path}: {problem}")
    network.load_state_dict({name: torch.from_numpy(array) for name, array in file.arrays.items()})
    return LoadedNetwork(network.eval(), file.architecture, file.config, file.provenance, file.fingerprint)


def arrays_of(network: nn.Module) -> dict[str, npt.NDArray[Any]]:
    """The weights of a network, on any device and in any memory format, as they are saved."""
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in network.state_dict().items()}


def tensor_differences(network: nn.Module, arrays: Mapping[str, Any]) -> str:
    """How the shapes of ``arrays`` differ from what ``network`` needs, by name; empty if they fit."""
    needed = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(array.shape) for name, array in arrays.items()}
    parts = [f"missing {name}" for name in sorted(needed.keys() - found.keys())]
    parts += [f"unexpected {name}" for name in sorted(found.keys() - needed.keys())]
    parts += [
        f"{name} is {found[name]}, not {needed[name]}"
        for name in sorted(needed.keys() & found.keys())
        if needed[name] != found[name]
    ]
    return "; ".join(parts)
