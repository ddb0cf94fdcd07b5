"""Fine comparison of one query with chosen stretches of other videos."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from dns_core.index.npy_stream import AnyArray
from dns_core.models.fine import FineStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.records import Float32Array
from dns_core.similarity.comparator_kernel import ComparatorWeights, comparator_scores
from dns_core.similarity.hamming import frame_similarity_packed, pack_signs
from dns_core.similarity.threads import in_parts
from dns_core.similarity.vectors import frame_similarities

_R = TypeVar("_R")

# Cells of the frame-frame matrices that go through the network together: 8 MB in its widest layer.
_BATCH_CELLS = 1 << 16
# Under so many cells a second thread costs more than it gives.
_PARALLEL_CELLS = 1 << 12
# Targets are padded to a multiple of this: few shapes for the comparator, little waste.
_LENGTH_STEP = 16


class FineScorer(ABC):
    """Compares what the index stores of frames; one subclass for each way to store them.

    A query is stored the same way before it is compared, so that a copy of an indexed video scores
    exactly as the indexed video itself.

    On processors the compiled kernels compare, with the weights that the network has now; on other devices,
    and for comparators that the kernel does not know, the network itself does.

    Args:
        network: in evaluation mode.
    """

    def __init__(self, network: PairNetwork) -> None:
        self.network = network
        self._device = next(network.parameters()).device
        compiled = self._device.type == "cpu" and _is_the_students(network)
        self._weights = ComparatorWeights.of(network.comparator) if compiled else None

    @abstractmethod
    def stored(self, regions: Float32Array) -> AnyArray:
        """``[T, R, ...]``: what the index keeps of whitened region vectors ``[T, R, D]``."""

    @abstractmethod
    def _matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """As `matrices`, by the compiled kernel on one thread."""

    def matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """Frame-frame similarities ``[Tq, Tt]`` in [-1, 1] of a query with each target, as stored."""
        return self._in_parts(partial(self._matrices, query), query, targets)

    @torch.inference_mode()
    def scores(self, query: AnyArray, targets: Sequence[AnyArray]) -> Float32Array:
        """``[K]`` similarities in [-1, 1] of a query with each of K targets, in order.

        Args:
            query: ``[Tq, R, ...]`` as `stored`, at least one frame.
            targets: ``[Tt, R, ...]`` each, as `stored`, at least one frame.
        """
        if self._weights:
            job = partial(self._compiled_scores, self._weights, query)
            return np.array(self._in_parts(job, query, targets), dtype=np.float32)
        return self._network_scores(self.matrices(query, targets))

    def _compiled_scores(
        self, weights: ComparatorWeights, query: AnyArray, targets: Sequence[AnyArray]
    ) -> Float32Array:
        return comparator_scores(weights, self._matrices(query, targets), partial=self.network.partial)

    def _network_scores(self, matrices: Sequence[Float32Array]) -> Float32Array:
        scores: Float32Array = np.empty(len(matrices), dtype=np.float32)
        for length, rows in self._batches(matrices):
            batch = np.zeros((len(rows), len(matrices[0]), length), dtype=np.float32)
            mask = np.zeros((len(rows), length), dtype=bool)
            for place, row in enumerate(rows):
                n_frames = matrices[row].shape[1]
                batch[place, :, :n_frames] = matrices[row]
                mask[place, :n_frames] = True
            # A full mask is no mask, and some comparators know none.
            target_mask = None if mask.all() else torch.from_numpy(mask).to(self._device)
            similarity, _ = self.network.matrix_similarity(
                torch.from_numpy(batch).to(self._device), None, target_mask
            )
            scores[rows] = similarity.float().cpu().numpy()
        return scores

    @staticmethod
    def _in_parts(
        job: Callable[[Sequence[AnyArray]], Iterable[_R]], query: AnyArray, targets: Sequence[AnyArray]
    ) -> list[_R]:
        sizes = [len(query) * len(target) for target in targets]
        return in_parts(job, targets, sizes, _PARALLEL_CELLS)

    def _indexed(self, regions: Float32Array) -> torch.Tensor:
        # A copy, because arrays of a mapped file are read-only and torch knows no such tensors.
        whole = torch.from_numpy(np.array(regions, dtype=np.float32))
        return self.network.index(whole.unsqueeze(0).to(self._device))[0]

    def _batches(self, matrices: Sequence[Float32Array]) -> Iterator[tuple[int, list[int]]]:
        """Rows of equal padded length, under the limit of cells or alone."""
        by_length: dict[int, list[int]] = defaultdict(list)
        step = _LENGTH_STEP if _takes_padding(self.network) else 1
        for row, matrix in enumerate(matrices):
            by_length[-(-matrix.shape[1] // step) * step].append(row)
        for length, rows in sorted(by_length.items()):
            size = max(1, _BATCH_CELLS // (length * len(matrices[rows[0]])))
            for start in range(0, len(rows), size):
                yield length, rows[start : start + size]


class PackedScorer(FineScorer):
    """Compares sign codes of 64 bits a word by their Hamming distance."""

    @torch.inference_mode()
    def stored(self, regions: Float32Array) -> AnyArray:
        """Codes ``[T, R, W]`` uint64."""
        return pack_signs(self._indexed(regions).cpu().numpy())

    def _matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        return [frame_similarity_packed(query, target, self.network.partial) for target in targets]


class VectorScorer(FineScorer):
    """Compares vectors kept in half precision, by dot products summed in single precision."""

    @torch.inference_mode()
    def stored(self, regions: Float32Array) -> AnyArray:
        """Vectors ``[T, R, D']`` float16."""
        return self._indexed(regions).half().cpu().numpy()

    def _matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        return frame_similarities(query, targets, self.network.partial)

    @torch.inference_mode()
    def matrices(self, query: AnyArray, targets: Sequence[AnyArray]) -> list[Float32Array]:
        """By the compiled kernel, or one product with the frames of all targets in a row."""
        if self._weights or not targets:
            return super().matrices(query, targets)
        joined, ends = np.concatenate(targets), np.cumsum([len(target) for target in targets])
        rows = self.network.frame_similarity(self._single(query), self._single(joined))[0].cpu().numpy()
        return np.split(rows, ends[:-1], axis=1)

    def _single(self, vectors: AnyArray) -> torch.Tensor:
        return torch.from_numpy(np.array(vectors)).to(self._device).float().unsqueeze(0)


def scorer_of(network: PairNetwork) -> FineScorer:
    """The scorer for what ``network`` stores: codes if it is binary, else vectors."""
    if isinstance(network, FineStudent) and network.binarization is not None:
        return PackedScorer(network)
    return VectorScorer(network)


def _is_the_students(network: PairNetwork) -> bool:
    """Whether a network compares as the paper's students do: in one direction, every frame counting."""
    return _takes_padding(network) and not network.symmetric


def _takes_padding(network: PairNetwork) -> bool:
    comparator = network.comparator
    return comparator.padding == "zeros" and comparator.compatibility == "corrected"
