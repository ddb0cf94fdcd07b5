"""Networks by name: what a checkpoint, a parameter file or a bundle calls them."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from dns_core.errors import ParamsError
from dns_core.models.coarse import CoarseConfig, CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.selector import Selector
from dns_core.models.teacher import Teacher
from dns_core.records import ScoringRule


def _fine_attention(
    dims: int = 512, compatibility: ScoringRule = "corrected", partial: bool = False
) -> FineStudent:
    return FineStudent(dims, attention=True, compatibility=compatibility, partial=partial)


def _fine_binary(
    dims: int = 512,
    binary_bits: int | None = None,
    compatibility: ScoringRule = "corrected",
    partial: bool = False,
) -> FineStudent:
    return FineStudent(
        dims, binarization=True, binary_bits=binary_bits, compatibility=compatibility, partial=partial
    )


def _coarse(**config: Any) -> CoarseStudent:
    return CoarseStudent(CoarseConfig(**config))


ARCHITECTURES: Mapping[str, Callable[..., nn.Module]] = MappingProxyType(
    {
        "teacher": Teacher,
        "fine_attention": _fine_attention,
        "fine_binary": _fine_binary,
        "coarse": _coarse,
        "selector": Selector,
    }
)


def build_network(architecture: str, config: Mapping[str, Any]) -> nn.Module:
    """A network with fresh weights (seed torch before), in training mode.

    Args:
        architecture: a key of `ARCHITECTURES`.
        config: what differs from that architecture's defaults.

    Raises:
        ParamsError: the architecture, or a key of ``config``, is unknown, or a value is not allowed.
    """
    if architecture not in ARCHITECTURES:
        raise ParamsError(f"unknown architecture {architecture!r}; known: {', '.join(ARCHITECTURES)}")
    unknown = sorted(set(config) - set(config_keys(architecture)))
    if unknown:
        known = ", ".join(config_keys(architecture))
        raise ParamsError(f"{architecture} has no {', '.join(unknown)}; it has {known}")
    try:
        return ARCHITECTURES[architecture](**config)
    except (TypeError, ValueError, AssertionError) as error:
        raise ParamsError(f"{architecture} cannot be built of {dict(config)}: {error}") from error


def config_keys(architecture: str) -> tuple[str, ...]:
    """The keys that the config of ``architecture`` may have."""
    made_of = CoarseConfig if architecture == "coarse" else ARCHITECTURES[architecture]
    return tuple(inspect.signature(made_of).parameters)
