"""Checkpoints of the reference implementation: read as data, converted, and written for it.

Three forms are read: ``{"model": state dict, "args": dict or argparse.Namespace, ...}``, which its training
writes, and the bare state dict in which the ViSiL head was released.
"""

import argparse
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dns_core.errors import ForeignFileError, MissingArtefactError, ParamsError
from dns_core.models.checkpoints import LoadedNetwork, tensor_differences
from dns_core.models.reference_config import reference_config
from dns_core.models.registry import ARCHITECTURES, build_network
from dns_core.store.atomic import atomic_file
from dns_core.store.fingerprints import fingerprint_file
from dns_core.store.plain_pickle import refusal

_FAILURES = (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class ReferenceCheckpoint:
    """What a ``.pth`` file holds of a network.

    Attributes:
        path: the file.
        tensors: the state dict.
        settings: the training command's settings, as far as they are numbers, strings or truth values;
            empty for a bare state dict.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "ReferenceCheckpoint":
        """The checkpoint in ``path``; nothing that its pickle asks to call is called.

        Only tensors, plain containers and `argparse.Namespace`, a bag of attributes, are built.

        Raises:
            MissingArtefactError: there is no such file.
            ForeignFileError: the file asks for anything else, is truncated, or holds no state dict.
        """
        if not path.is_file():
            raise MissingArtefactError(f"{path} is not there")
        try:
            with warnings.catch_warnings(), torch.serialization.safe_globals([argparse.Namespace]):
                # An unusual protocol is either read or refused; the warning would only repeat that.
                warnings.filterwarnings("ignore", "Detected pickle protocol")
                content = torch.load(path, map_location="cpu", weights_only=True)
        except _FAILURES as error:
            raise ForeignFileError(f"{path}: {refusal(error)}") from error
        return cls._of(path, content)

    @classmethod
    def _of(cls, path: Path, content: Any) -> "ReferenceCheckpoint":
        whole = content if isinstance(content, dict) else {}
        tensors, settings = whole.get("model", whole), whole.get("args", {})
        if isinstance(settings, argparse.Namespace):
            settings = vars(settings)
        if not isinstance(tensors, dict) or not tensors or not isinstance(settings, dict):
            raise ForeignFileError(f"{path}: expected a state dict, found {type(content).__name__}")
        strange = [str(k) for k, v in tensors.items() if not (isinstance(k, str) and isinstance(v, Tensor))]
        if strange:
            raise ForeignFileError(f"{path}: expected tensors by name, found {', '.join(strange[:6])}")
        bad = [k for k, v in tensors.items() if v.is_floating_point() and not torch.isfinite(v).all()]
        if bad:
            raise ForeignFileError(f"{path}: {bad[0]}: expected finite numbers, found NaN or infinity")
        plain = {k: v for k, v in settings.items() if isinstance(v, bool | int | float | str)}
        return cls(path, tensors, plain)

    def network(self, architecture: str, overrides: Mapping[str, Any]) -> LoadedNetwork:
        """The network of ``architecture`` with these weights, in evaluation mode, and its provenance.

        Args:
            architecture: a key of `ARCHITECTURES`.
            overrides: settings that no shape and no setting of the file tells, for example ``symmetric`` of
                a bare teacher, or ``compatibility``.

        Raises:
            ParamsError: the architecture or an override is unknown.
            ForeignFileError: weights are missing, unexpected or misshapen; all are named.
        """
        if architecture not in ARCHITECTURES:
            raise ParamsError(f"unknown architecture {architecture!r}; known: {', '.join(ARCHITECTURES)}")
        try:
            config = reference_config(architecture, self.tensors, self.settings) | dict(overrides)
        except ForeignFileError as error:
            raise ForeignFileError(f"{self.path} is not a {architecture}: {error}") from error
        network = build_network(architecture, config)
        problem = tensor_differences(network, self.tensors)
        if problem:
            raise ForeignFileError(f"{self.path} is not a {architecture} of {config}: {problem}")
        network.load_state_dict(dict(self.tensors))
        provenance = {
            "origin": "a checkpoint of the reference implementation",
            "source": self.path.name,
            "source_fingerprint": fingerprint_file(self.path),
            **{f"args.{name}": str(value) for name, value in sorted(self.settings.items())},
        }
        return LoadedNetwork(network.eval(), architecture, config, provenance, "")


def write_reference(path: Path, loaded: LoadedNetwork) -> None:
    """Write a network in the form that the reference's scripts load.

    The teacher is written as a bare state dict, the others as ``{"model": ..., "args": Namespace}``: the
    reference calls ``vars()`` on the settings, so that a dict would stop it.

    Args:
        path: the ``.pth`` file to write, atomically.
        loaded: what to write.
    """
    tensors = _copied(loaded.network)
    content: Any = tensors
    if loaded.architecture != "teacher":
        content = {"model": tensors, "args": argparse.Namespace(**_settings(loaded))}
    with atomic_file(path) as temporary:
        torch.save(content, temporary)


def _settings(loaded: LoadedNetwork) -> dict[str, Any]:
    """The settings that the reference's classes are built of."""
    ours = {k: v for k, v in loaded.config.items() if k not in ("compatibility", "binary_bits", "padding")}
    if loaded.architecture.startswith("fine_"):
        kind = loaded.architecture.removeprefix("fine_")
        flags = {"attention": kind == "attention", "binarization": kind == "binary"}
        return {"student_type": "fine-grained", **ours, **flags}
    return {"student_type": "coarse-grained", **ours} if loaded.architecture == "coarse" else ours


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
