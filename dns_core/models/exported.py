"""The networks of a search without torch: exported graphs, and weights for the compiled kernels.

What they compute is what the torch networks of the same names compute, to rounding.
"""

from pathlib import Path

import numpy as np

from dns_core.errors import CorruptArtefactError, MismatchError
from dns_core.models.network_file import NetworkFile
from dns_core.records import Float32Array
from dns_core.runtime.graph import Graph
from dns_core.similarity.comparator_kernel import ComparatorWeights, comparator_means

GRAPH_SUFFIX = ".onnx"
DECISION_SUFFIX = ".decision.onnx"
"""Of a selector's second graph: what it makes of a pair."""
NETWORK_KEY = "network"
"""Entry of a graph's metadata: the fingerprint of the network that it was exported from."""

_COMPARATORS = {"teacher": "video_comperator.", "selector": "visil_head."}
_COMPARATOR = "visil_head."


class ExportedCoarse:
    """The coarse student; see `dns_core.models.coarse.CoarseStudent`."""

    def __init__(self, path: Path, file: NetworkFile) -> None:
        self._graph = _graph_of(path.with_suffix(GRAPH_SUFFIX), file)

    def index(self, regions: Float32Array) -> Float32Array:
        """The unit vector ``[E]`` of whitened frames ``[T, R, D]``."""
        return self._graph(_single(regions))


class ExportedFine:
    """A fine student or the teacher; see `dns_core.models.pair_network.PairNetwork`.

    Attributes:
        packed: whether it compares codes, not vectors.
        partial: see `PairNetwork`.
        weights: of its comparator.
    """

    def __init__(self, path: Path, file: NetworkFile) -> None:
        self._graph = _graph_of(path.with_suffix(GRAPH_SUFFIX), file)
        self.packed = file.architecture == "fine_binary"
        self.partial = bool(file.config.get("partial", False))
        self.weights: ComparatorWeights | None = _comparator(path, file)

    def index(self, regions: Float32Array) -> Float32Array:
        """What is stored of whitened frames ``[T, R, D]``: vectors or signs ``[T, R, D']``."""
        return self._graph(_single(regions))


class ExportedSelector:
    """The selector; see `dns_core.models.selector.Selector`."""

    def __init__(self, path: Path, file: NetworkFile) -> None:
        self._frames = _graph_of(path.with_suffix(GRAPH_SUFFIX), file)
        self._decision = _graph_of(path.with_suffix(DECISION_SUFFIX), file)
        self._weights = _comparator(path, file)

    def index(self, regions: Float32Array) -> Float32Array:
        """The number ``[]`` of whitened frames ``[T, R, D]``."""
        frames = self._frames(_single(regions))
        return comparator_means(self._weights, [frames @ frames.T]).reshape(())

    def logits(self, features: Float32Array) -> Float32Array:
        """Log-odds ``[N]`` that the fine student is needed, of ``[N, 3]`` numbers of pairs."""
        return self._decision(_single(features))


def is_exported(path: Path) -> bool:
    """Whether the network in ``path`` was exported."""
    return path.with_suffix(GRAPH_SUFFIX).is_file()


def _graph_of(path: Path, file: NetworkFile) -> Graph:
    graph = Graph(path)
    found = graph.metadata.get(NETWORK_KEY, "none")
    if found != file.fingerprint:
        raise MismatchError(f"network that {path} was exported from", file.fingerprint, found)
    return graph


def _comparator(path: Path, file: NetworkFile) -> ComparatorWeights:
    prefix = _COMPARATORS.get(file.architecture, _COMPARATOR)
    named = {
        name.removeprefix(prefix): array for name, array in file.arrays.items() if name.startswith(prefix)
    }
    try:
        return ComparatorWeights.of(named)
    except KeyError as error:
        raise CorruptArtefactError(f"{path}: missing {prefix}{error.args[0]}") from error


def _single(values: Float32Array) -> Float32Array:
    return np.ascontiguousarray(values, dtype=np.float32)
