"""The objective of a selector: which pairs would score very differently once re-ranked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from dns_core.models.selector import Selector
from dns_core.records import Float32Array
from dns_core.training.batches import FeatureSet, padded, to_device_of
from dns_core.training.config import StrictModel


class SelectionConfig(StrictModel):
    """How pairs are labelled and drawn (the paper, section 3.4 and 4.3).

    Attributes:
        label: which pairs are worth re-ranking. ``distance``: the calibrated fine and coarse scores, both
            in [0, 1], differ by more than the threshold (the paper). ``match``: the calibrated fine score
            exceeds it: what re-ranking is to bring to the top.
        threshold: in (0, 1); the paper's is .2.
        batch_pairs: pairs a step, half of either class.
        epoch_pairs: pairs of each class an epoch at most (the paper: 5,000).
    """

    label: Literal["distance", "match"]
    threshold: float = Field(gt=0, lt=1)
    batch_pairs: int = Field(ge=4)
    epoch_pairs: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """A pair with the coarse student's cosine and whether re-ranking it is worth its cost."""

    query: str
    target: str
    coarse: float
    worthwhile: bool


@dataclass(frozen=True, slots=True)
class SelectionBatch:
    """Distinct ``videos`` ``[N, T, R, D]`` with ``mask``; ``[P]`` rows, cosines and labels of pairs.

    R is 1 where a frame is the mean of its gated regions already.
    """

    videos: Tensor
    mask: Tensor
    queries: Tensor
    targets: Tensor
    coarse: Tensor
    labels: Tensor


class SelectorObjective:
    """Balanced binary cross-entropy on whether a pair is worth re-ranking.

    Args:
        network: the selector, trained in place.
        features: videos, and their edited copies.
        train: pairs to learn from.
        validation: pairs, of other clusters, that the validation loss is measured on.
        config: how pairs are drawn.
        seed: of every draw.
    """

    def __init__(  # noqa: PLR0913
        self,
        network: Selector,
        features: FeatureSet,
        *,
        train: Sequence[ScoredPair],
        validation: Sequence[ScoredPair],
        config: SelectionConfig,
        seed: int,
    ) -> None:
        self.network = network
        self._attention_learns = any(p.requires_grad for p in network.attention.parameters())
        # Gates that stay as they are need to be computed but once.
        self._features = features if self._attention_learns else features.seen_through(self._mean_regions)
        self._worthwhile = [pair for pair in train if pair.worthwhile]
        self._idle = [pair for pair in train if not pair.worthwhile]
        self._validation = tuple(validation)
        self._config = config
        self._seed = seed

    def batches(self, epoch: int) -> Iterator[SelectionBatch]:
        """Yield the epoch's batches, half of either class, drawn from (seed, epoch)."""
        rng = np.random.default_rng([self._seed, epoch])
        half = self._config.batch_pairs // 2
        classes = [_drawn(pairs, self._per_class(), rng) for pairs in (self._worthwhile, self._idle)]
        for start in range(0, self._per_class(), half):
            yield self._batch([pair for drawn in classes for pair in drawn[start : start + half]])

    def loss(self, batch: SelectionBatch) -> Tensor:
        """Binary cross-entropy of one balanced batch."""
        return F.binary_cross_entropy_with_logits(self._logits(batch), batch.labels)

    def validation_loss(self) -> float:
        """Class-balanced cross-entropy over all validation pairs."""
        losses = {True: [0.0], False: [0.0]}
        for logits, labels in self._validated():
            each = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
            for label in losses:
                losses[label] += each[labels.bool() == label].tolist()
        return float(sum(np.sum(values) / max(len(values) - 1, 1) for values in losses.values()) / 2)

    @torch.inference_mode()
    def validation_logits(self) -> Float32Array:
        """``[P]`` log-odds that each validation pair is worth re-ranking, in their order."""
        return np.array([logit for logits, _ in self._validated() for logit in logits.tolist()], np.float32)

    def _validated(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Logits and labels of the validation pairs, batch by batch."""
        size = 2 * self._config.batch_pairs
        for start in range(0, len(self._validation), size):
            batch = self._batch(self._validation[start : start + size])
            yield self._logits(batch), batch.labels

    def _per_class(self) -> int:
        return min(self._config.epoch_pairs, max(len(self._worthwhile), len(self._idle)))

    def _logits(self, batch: SelectionBatch) -> Tensor:
        if self._attention_learns:
            numbers = self.network.index(batch.videos, batch.mask)
        else:
            numbers = self.network.index_frames(batch.videos.squeeze(2), batch.mask)
        features = torch.stack([numbers[batch.queries], numbers[batch.targets], batch.coarse], dim=-1)
        return self.network.logits(features).float()

    def _batch(self, pairs: Sequence[ScoredPair]) -> SelectionBatch:
        ids = list(dict.fromkeys(video_id for pair in pairs for video_id in (pair.query, pair.target)))
        row = {video_id: number for number, video_id in enumerate(ids)}
        batch = SelectionBatch(
            *padded([self._features.regions(video_id) for video_id in ids]),
            torch.tensor([row[pair.query] for pair in pairs]),
            torch.tensor([row[pair.target] for pair in pairs]),
            torch.tensor([pair.coarse for pair in pairs], dtype=torch.float32),
            torch.tensor([float(pair.worthwhile) for pair in pairs]),
        )
        return to_device_of(self.network, batch)

    @torch.inference_mode()
    def _mean_regions(self, regions: Float32Array) -> Float32Array:
        """``[T, 1, D]`` of ``[T, R, D]``."""
        device = next(self.network.parameters()).device
        frames = self.network.frames(torch.from_numpy(regions).to(device)[None])
        return np.asarray(frames[0].float().cpu().numpy()[:, None])


def _drawn(pairs: Sequence[ScoredPair], count: int, rng: np.random.Generator) -> list[ScoredPair]:
    """``count`` pairs in random order; a short class is drawn again and again."""
    order = np.concatenate([rng.permutation(len(pairs)) for _ in range(-(-count // len(pairs)))])
    return [pairs[row] for row in order[:count]]
