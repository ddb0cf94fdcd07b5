"""The networks of a search as torch computes them: while they are trained, on a GPU, and as the oracle."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch

from dns_core.models.checkpoints import arrays_of, load_network
from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.models.pair_network import PairNetwork
from dns_core.models.selector import Selector
from dns_core.records import Float32Array
from dns_core.similarity.comparator_kernel import ComparatorWeights

# Cells of the frame-frame matrices that go through the network together: 8 MB in its widest layer.
_BATCH_CELLS = 1 << 16
# Targets are padded to a multiple of this: few shapes for the comparator, little waste.
_LENGTH_STEP = 16


class LiveCoarse:
    """A coarse student, in evaluation mode."""

    def __init__(self, network: CoarseStudent) -> None:
        self.network = network

    @torch.inference_mode()
    def index(self, regions: Float32Array) -> Float32Array:
        """The unit vector ``[E]`` of whitened frames ``[T, R, D]``."""
        return _indexed(self.network, regions)


class LiveSelector:
    """A selector, in evaluation mode."""

    def __init__(self, network: Selector) -> None:
        self.network = network

    @torch.inference_mode()
    def index(self, regions: Float32Array) -> Float32Array:
        """The number ``[]`` of whitened frames ``[T, R, D]``."""
        return _indexed(self.network, regions)

    @torch.inference_mode()
    def logits(self, features: Float32Array) -> Float32Array:
        """Log-odds ``[N]`` that the fine student is needed, of ``[N, 3]`` numbers of pairs."""
        device = next(self.network.parameters()).device
        logits: Float32Array = (
            self.network.logits(torch.from_numpy(features).to(device)).float().cpu().numpy()
        )
        return logits


class LiveFine:
    """A fine student or the teacher, in evaluation mode.

    Attributes:
        packed: whether it compares codes, not vectors.
        partial: see `PairNetwork`.
        weights: of its comparator as they are now, for the compiled kernels; None where the network itself
            compares: on a GPU, and with a comparator that the kernel does not know.
    """

    def __init__(self, network: PairNetwork) -> None:
        self.network = network
        self.packed = isinstance(network, FineStudent) and network.binarization is not None
        self.partial = network.partial
        self._device = next(network.parameters()).device
        compiled = self._device.type == "cpu" and is_the_students(network)
        self.weights = ComparatorWeights.of(arrays_of(network.comparator)) if compiled else None

    @torch.inference_mode()
    def index(self, regions: Float32Array) -> Float32Array:
        """What is stored of whitened frames ``[T, R, D]``: vectors or signs ``[T, R, D']``."""
        return _indexed(self.network, regions)

    @torch.inference_mode()
    def scores(self, matrices: Sequence[Float32Array]) -> Float32Array:
        """``[K]`` similarities in [-1, 1] of videos, of those of their frames ``[Tq, Tt]`` each."""
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

    @torch.inference_mode()
    def matrices(self, query: npt.NDArray[Any], targets: Sequence[npt.NDArray[Any]]) -> list[Float32Array]:
        """Similarities of frames ``[Tq, Tt]`` of vectors, by one product with all targets in a row."""
        joined, ends = np.concatenate(targets), np.cumsum([len(target) for target in targets])
        rows = self.network.frame_similarity(self._tensor(query), self._tensor(joined))[0].cpu().numpy()
        return np.split(rows, ends[:-1], axis=1)

    def _tensor(self, vectors: npt.NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.array(vectors)).to(self._device).float().unsqueeze(0)

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


def load_live(path: Path, *, expect: str, device: str) -> LiveCoarse | LiveFine | LiveSelector:
    """The network in a file, on a device.

    Args:
        path: of a network's file.
        expect: the architecture that it must have.
        device: as torch calls it.

    Raises:
        MissingArtefactError, MismatchError, CorruptArtefactError: as `load_network`.
    """
    network = load_network(path, expect=expect).network.to(device)
    if isinstance(network, CoarseStudent):
        return LiveCoarse(network)
    return LiveSelector(network) if isinstance(network, Selector) else LiveFine(cast("PairNetwork", network))


def is_the_students(network: PairNetwork) -> bool:
    """Whether a network compares as the paper's students do: in one direction, every frame counting."""
    return _takes_padding(network) and not network.symmetric


def _takes_padding(network: PairNetwork) -> bool:
    comparator = network.comparator
    return comparator.padding == "zeros" and comparator.compatibility == "corrected"


def _indexed(network: PairNetwork | CoarseStudent | Selector, regions: Float32Array) -> Float32Array:
    # A copy, because arrays of a mapped file are read-only and torch knows no such tensors.
    whole = torch.from_numpy(np.array(regions, dtype=np.float32)).unsqueeze(0)
    indexed = network.index(whole.to(next(network.parameters()).device))[0]
    return cast("Float32Array", indexed.float().cpu().numpy())
