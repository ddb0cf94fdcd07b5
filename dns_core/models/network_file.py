"""A network's file: arrays, what to build them into, and where they come from. No network is built."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dns_core.errors import CorruptArtefactError, MismatchError
from dns_core.store.fingerprints import fingerprint_bytes, fingerprint_json
from dns_core.store.weights import Arrays, read_weights, save_weights

_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """What a file says of a network.

    Attributes:
        architecture: its key in `dns_core.models.registry.ARCHITECTURES`.
        config: what it is built of.
        provenance: what it was made from and how, as its maker wrote.
        arrays: its weights.
        fingerprint: of architecture, config and weights; provenance does not change it.
    """

    architecture: str
    config: Mapping[str, Any]
    provenance: Mapping[str, str]
    arrays: Arrays
    fingerprint: str


def write_network_file(
    path: Path, arrays: Arrays, *, architecture: str, config: Mapping[str, Any], provenance: Mapping[str, str]
) -> str:
    """The fingerprint of a network, which ``path`` now holds."""
    metadata = {
        "format": _FORMAT,
        "architecture": architecture,
        "config": json.dumps(dict(config), sort_keys=True),
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    save_weights(path, arrays, metadata)
    return network_fingerprint(architecture, config, arrays)


def read_network_file(path: Path, *, expect: str | None = None) -> NetworkFile:
    """What `write_network_file` wrote to ``path``.

    Args:
        path: of the file.
        expect: the architecture that it must have; any if None.

    Raises:
        MissingArtefactError: there is no such file.
        MismatchError: the file holds another architecture than ``expect``.
        CorruptArtefactError: it is not a network's file.
    """
    arrays, metadata = read_weights(path)
    architecture, config, provenance = _described(path, metadata)
    if expect is not None and architecture != expect:
        raise MismatchError(f"architecture of {path}", expect, architecture)
    fingerprint = network_fingerprint(architecture, config, arrays)
    return NetworkFile(architecture, config, provenance, arrays, fingerprint)


def network_fingerprint(architecture: str, config: Mapping[str, Any], arrays: Arrays) -> str:
    """16 hex digits that two networks share if they are built alike and hold the same weights."""
    weights = {
        # the names of types are torch's: files and indices of earlier versions have such fingerprints
        name: [
            f"torch.{array.dtype}",
            list(array.shape),
            fingerprint_bytes(np.ascontiguousarray(array).tobytes()),
        ]
        for name, array in arrays.items()
    }
    return fingerprint_json({"architecture": architecture, "config": dict(config), "weights": weights})


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[str, dict[str, Any], dict[str, str]]:
    """Architecture, config and provenance of a file's metadata."""
    if metadata.get("format") != _FORMAT:
        raise CorruptArtefactError(f"{path} is not a network of format {_FORMAT}")
    try:
        return metadata["architecture"], json.loads(metadata["config"]), json.loads(metadata["provenance"])
    except (KeyError, ValueError) as error:
        raise CorruptArtefactError(f"{path} does not say what network it holds: {error}") from error
