"""Fine comparison of one query with chosen stretches of other videos."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar, cast

import numpy as np

from dns_core.index.npy_stream import AnyArray
from dns_core.records import Float32Array
from dns_core.retrieval.networks import FineNetwork, SelfComparing
from dns_core.similarity.comparator_kernel import ComparatorWeights, comparator_scores
from dns_core.similarity.hamming import frame_similarity_packed, pack_signs
from dns_core.similarity.threads import in_parts
from dns_core.similarity.vectors import frame_similarities

_R = TypeVar("_R")

# Under so many cells a second thread costs more than it gives.
_PARALLEL_CELLS = 1 << 12


class FineScorer(ABC):
    """Compares what the index stores of frames; one subclass for each way to store them.

    A query is stored the same way before it is compared, so that a copy of an indexed video scores
    exactly as the indexed video itself.

    Args:
        network: says what is stored; the compiled kernels compare with its weights, or else it does itself.
    """

    def __init__(self, network: FineNetwork) -> None:
        self.network = network

    @abstractmethod
    def stored(self, regions: Float32Array) -> AnyArray:
        """``[T, R, ...]``: what the index keeps of whitened region vectors ``[T, R, D]``."""

    @abstractmethod
    def _matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """As `matrices`, by the compiled kernel on one thread."""

    def matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """Frame-frame similarities ``[Tq, Tt]`` in [-1, 1] of a query with each target, as stored."""
        return self._in_parts(partial(self._matrices, query), query, targets)

    def scores(self, query: AnyArray, targets: Sequence[AnyArray]) -> Float32Array:
        """``[K]`` similarities in [-1, 1] of a query with each of K targets, in order.

        Args:
            query: ``[Tq, R, ...]`` as `stored`, at least one frame.
            targets: ``[Tt, R, ...]`` each, as `stored`, at least one frame.
        """
        weights = self.network.weights
        if weights is None:
            return self._itself.scores(self.matrices(query, targets))
        job = partial(self._compiled_scores, weights, query)
        return np.array(self._in_parts(job, query, targets), dtype=np.float32)

    @property
    def _itself(self) -> SelfComparing:
        return cast("SelfComparing", self.network)

    def _compiled_scores(
        self, weights: ComparatorWeights, query: AnyArray, targets: Sequence[AnyArray]
    ) -> Float32Array:
        return comparator_scores(weights, self._matrices(query, targets), partial=self.network.partial)

    @staticmethod
    def _in_parts(
        job: Callable[[Sequence[AnyArray]], Iterable[_R]], query: AnyArray, targets: Sequence[AnyArray]
    ) -> list[_R]:
        sizes = [len(query) * len(target) for target in targets]
        return in_parts(job, targets, sizes, _PARALLEL_CELLS)


class PackedScorer(FineScorer):
    """Compares sign codes of 64 bits a word by their Hamming distance."""

    def stored(self, regions: Float32Array) -> AnyArray:
        """Codes ``[T, R, W]`` uint64."""
        return pack_signs(self.network.index(regions))

    def _matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        return [frame_similarity_packed(query, target, self.network.partial) for target in targets]


class VectorScorer(FineScorer):
    """Compares vectors kept in half precision, by dot products summed in single precision."""

    def stored(self, regions: Float32Array) -> AnyArray:
        """Vectors ``[T, R, D']`` float16."""
        return self.network.index(regions).astype(np.float16)

    def _matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        return frame_similarities(query, targets, self.network.partial)

    def matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """By the compiled kernel, or by the network itself."""
        if self.network.weights is not None or not targets:
            return super().matrices(query, targets)
        return self._itself.matrices(query, targets)


def scorer_of(network: FineNetwork) -> FineScorer:
    """The scorer for what ``network`` stores: codes or vectors."""
    return PackedScorer(network) if network.packed else VectorScorer(network)
