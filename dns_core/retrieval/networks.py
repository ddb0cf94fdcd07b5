"""What a search asks of its networks, whoever computes it: an exported graph or torch."""

from collections.abc import Sequence
from typing import Protocol

from dns_core.index.npy_stream import AnyArray
from dns_core.records import Float32Array
from dns_core.similarity.comparator_kernel import ComparatorWeights


class ChunkNetwork(Protocol):
    """Sums up a chunk of a video."""

    def index(self, regions: Float32Array) -> Float32Array:
        """A vector ``[E]`` or a number ``[]`` of whitened frames ``[T, R, D]``."""
        ...


class SelectorNetwork(ChunkNetwork, Protocol):
    """Estimates which pairs deserve a fine comparison."""

    def logits(self, features: Float32Array) -> Float32Array:
        """Log-odds ``[N]``, of ``[N, 3]`` numbers of pairs (see `Candidates`)."""
        ...


class FineNetwork(Protocol):
    """Says what is stored of frames, and how videos are compared by it."""

    @property
    def packed(self) -> bool:
        """Whether codes are stored, not vectors."""
        ...

    @property
    def partial(self) -> bool:
        """Whether a part that matches is enough, see `dns_core.models.pair_network.PairNetwork`."""
        ...

    @property
    def weights(self) -> ComparatorWeights | None:
        """Weights of the comparator for the compiled kernels; None of a `SelfComparing` network."""
        ...

    def index(self, regions: Float32Array) -> Float32Array:
        """Vectors or signs ``[T, R, D']`` of whitened frames ``[T, R, D]``."""
        ...


class SelfComparing(FineNetwork, Protocol):
    """A network that compares without the compiled kernels."""

    def scores(self, matrices: Sequence[Float32Array]) -> Float32Array:
        """``[K]`` similarities in [-1, 1], of those of frames ``[Tq, Tt]`` each."""
        ...

    def matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """Similarities of frames ``[Tq, Tt]`` of stored vectors."""
        ...
