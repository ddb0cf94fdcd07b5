"""What the teacher and the fine students share: two videos in, one similarity out."""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dns_core.similarity.chamfer import chamfer_similarity, region_chamfer, symmetric_chamfer_similarity
from dns_core.similarity.comparator import Comparator


class PairNetwork(nn.Module, ABC):
    """A network that compares two indexed videos frame by frame.

    One rule for masks: a pair scores the same alone and padded in any batch (to rounding); with
    ``compatibility="reference"`` scores depend on the padding, as in the reference.

    Attributes:
        symmetric: average over both directions.
        partial: a part that matches is enough. Two frames are as similar as their best pair of regions, and
            two videos as the one is that the other shows more of: a picture in a picture, an excerpt and
            a compilation match. False compares all of the query, as the paper does.

    Reference: DnS, IJCV 2022, section 4.1.
    """

    symmetric = False
    partial: bool = False

    @property
    @abstractmethod
    def comparator(self) -> Comparator:
        """The CNN between frame similarity and video similarity."""

    @abstractmethod
    def index(self, regions: Tensor, mask: Tensor | None = None) -> Tensor:
        """What is stored of a video: ``[B, T, R, D']`` of ``[B, T, R, D]``; zero in masked frames.

        Args:
            regions: ``[B, T, R, D]`` whitened region vectors.
            mask: ``[B, T]`` True where a frame is one of the video's; all are if None.
        """

    def frame_similarity(self, query_index: Tensor, target_index: Tensor) -> Tensor:
        """Similarity of every frame of a query with every frame of its target, before the comparator.

        Args:
            query_index: ``[B, Tq, R, D']``, or ``[1, ...]`` to compare one query with every target.
            target_index: ``[B, Tt, R, D']``.

        Returns:
            ``[B, Tq, Tt]`` in [-1, 1].
        """
        similarity = region_chamfer(query_index, target_index, self.partial)
        if self.symmetric:
            similarity = (similarity + region_chamfer(target_index, query_index, self.partial).mT) / 2
        return similarity

    def matrix_similarity(
        self, matrix: Tensor, query_mask: Tensor | None = None, target_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Similarity of videos from their frames' similarities, wherever those were computed.

        Args:
            matrix: ``[B, Tq, Tt]`` as `frame_similarity` returns.
            query_mask: ``[B, Tq]`` True where a frame is one of the query's; all are if None.
            target_mask: ``[B, Tt]`` likewise.

        Returns:
            Similarities ``[B]`` in [-1, 1] (0 where a video has no frames), and the regularisation: how
            far comparator outputs exceed [-1, 1], summed over the batch's valid windows (over padding
            too in reference mode).
        """
        reference = self.comparator.compatibility == "reference"
        mask = _pair_mask(matrix, query_mask, target_mask, ignore_one_sided=reference)
        windows, valid = self.comparator(matrix, mask)
        beyond = excess(windows)
        if valid is not None and not reference:
            beyond = beyond * valid
        chamfer = symmetric_chamfer_similarity if self.symmetric else chamfer_similarity
        bounded = F.hardtanh(windows)
        similarity = chamfer(bounded, valid, max_axis=2, mean_axis=1)
        if self.partial:
            similarity = torch.maximum(similarity, chamfer(bounded, valid, max_axis=1, mean_axis=2))
        return similarity, beyond.sum()

    def pair_similarity(
        self,
        query_index: Tensor,
        target_index: Tensor,
        query_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Similarity of indexed videos, pair b with b; see `frame_similarity`, `matrix_similarity`."""
        matrix = self.frame_similarity(query_index, target_index)
        if query_mask is not None and len(query_mask) == 1:
            query_mask = query_mask.expand(len(matrix), -1)
        return self.matrix_similarity(matrix, query_mask, target_mask)

    def forward(
        self,
        query_regions: Tensor,
        target_regions: Tensor,
        query_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`index` of both sides, then `pair_similarity`."""
        query_index = self.index(query_regions, query_mask)
        target_index = self.index(target_regions, target_mask)
        return self.pair_similarity(query_index, target_index, query_mask, target_mask)


def excess(similarities: Tensor, low: float = -1.0, high: float = 1.0) -> Tensor:
    """How far each similarity is outside ``[low, high]``; its sum is the similarity regularisation.

    Reference: ViSiL, ICCV 2019, equation 7.
    """
    return F.relu(low - similarities) + F.relu(similarities - high)


def zeroed(index: Tensor, mask: Tensor | None) -> Tensor:
    """``index [B, T, ...]`` with zeros in the frames that ``mask [B, T]`` calls padding."""
    if mask is None:
        return index
    return index.masked_fill(~mask.reshape(*mask.shape, *[1] * (index.ndim - 2)), 0.0)


def _pair_mask(
    matrix: Tensor, query_mask: Tensor | None, target_mask: Tensor | None, *, ignore_one_sided: bool
) -> Tensor | None:
    """``[B, Tq, Tt]`` True where both frames exist; None if no side has a mask."""
    if query_mask is None and target_mask is None:
        return None
    if query_mask is None or target_mask is None:
        if ignore_one_sided:
            return None
        query_mask = matrix.new_ones(matrix.shape[:2]).bool() if query_mask is None else query_mask
        target_mask = matrix.new_ones(matrix.shape[::2]).bool() if target_mask is None else target_mask
    return query_mask.bool().unsqueeze(2) & target_mask.bool().unsqueeze(1)
