"""Trained networks as graphs that run without torch."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from dns_core.errors import ParamsError
from dns_core.models.checkpoints import load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.exported import DECISION_SUFFIX, GRAPH_SUFFIX, NETWORK_KEY
from dns_core.models.live import is_the_students
from dns_core.models.pair_network import PairNetwork
from dns_core.models.selector import N_FEATURES, Selector
from dns_core.runtime.write_graph import write_graph

_EXAMPLE_FRAMES, _REGIONS = 6, 9


def export_network(path: Path) -> None:
    """Write those parts of the network in ``path`` that a search runs as graphs beside it.

    Raises:
        MissingArtefactError: there is no such file.
        CorruptArtefactError: the file does not hold a network.
        ParamsError: the compiled kernels do not know its comparator; it runs in torch alone.
    """
    loaded = load_network(path)
    network, metadata = loaded.network, {NETWORK_KEY: loaded.fingerprint}
    if isinstance(network, PairNetwork) and not is_the_students(network):
        raise ParamsError(f"{path}: expected a network of one direction that pads by zeros, found another")
    frames = torch.zeros(_EXAMPLE_FRAMES, _REGIONS, int(loaded.config.get("dims", 512)))
    write_graph(path.with_suffix(GRAPH_SUFFIX), _of_frames(network), frames, metadata)
    if isinstance(network, Selector):
        pairs = torch.zeros(_EXAMPLE_FRAMES, N_FEATURES)
        write_graph(path.with_suffix(DECISION_SUFFIX), _Applied(network, network.logits), pairs, metadata)


def _of_frames(network: nn.Module) -> nn.Module:
    if isinstance(network, Selector):
        # what follows, the comparator on the self-similarity, is the compiled kernel's
        return _Applied(network, network.frames, batched=True)
    indexing = cast("CoarseStudent | PairNetwork", network).index
    return _Applied(network, cast("Callable[[Tensor], Tensor]", indexing), batched=True)


class _Applied(nn.Module):
    """One function of a network, of one video where it takes a batch of them."""

    def __init__(self, network: nn.Module, function: Callable[[Tensor], Tensor], *, batched: bool = False):
        super().__init__()
        self.network = network
        self._function = function
        self._batched = batched

    def forward(self, value: Tensor) -> Tensor:
        return self._function(value.unsqueeze(0))[0] if self._batched else self._function(value)
