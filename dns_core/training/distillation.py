"""The objective of a student: give each pair the similarity that the teacher gave it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dns_core.models.coarse import CoarseStudent
from dns_core.models.fine import FineStudent
from dns_core.records import Float32Array
from dns_core.training.augmentation import augmented_frames, random_crop
from dns_core.training.batches import FeatureSet, padded, to_device_of
from dns_core.training.config import StrictModel
from dns_core.training.data_parallel import SINGLE, DataParallel
from dns_core.training.losses import distillation_loss, rescaled
from dns_core.training.mining import Pool

Student = FineStudent | CoarseStudent

# A fine student compares pairs together whose videos last as many times so many frames, rounded up: a pair's
# work grows with the product of its lengths, and a short one would be padded to the longest of the batch.
_BUCKET_FRAMES = 32


class DistillationConfig(StrictModel):
    """How pairs become batches (the paper, section 4.3).

    Attributes:
        batch_triplets: anchors a step, each with one near and one far target.
        window_frames: longest stretch of a video used at once (the paper: 300).
        augmentation_probability: chance of each temporal augmentation of a target (the paper: .1).
        regularisation_weight: weight of the similarity regularisation of fine students (the paper: 1e-3).
    """

    batch_triplets: int = Field(ge=1)
    window_frames: int = Field(ge=4)
    augmentation_probability: float = Field(ge=0, le=1)
    regularisation_weight: float = Field(ge=0)


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A mined pair with the teacher's similarity in [-1, 1]."""

    anchor: str
    target: str
    pool: Pool
    similarity: float


@dataclass(frozen=True, slots=True)
class PairGroup:
    """Pairs that are compared together; of a fine student those of like lengths.

    Attributes:
        anchors: ``[A, Ta, R, D]`` distinct videos, with ``anchor_mask [A, Ta]``.
        targets: ``[P, Tt, R, D]``, one a pair, with ``target_mask [P, Tt]``.
        rows: ``[P]`` each pair's anchor.
    """

    anchors: Tensor
    anchor_mask: Tensor
    targets: Tensor
    target_mask: Tensor
    rows: Tensor


@dataclass(frozen=True, slots=True)
class PairBatch:
    """The pairs of a step.

    Attributes:
        groups: this process's share of the pairs.
        places: ``[p]``; the share in its own order is that of the groups, one after the other, at these.
        similarities: ``[P]`` the teacher's, of all pairs.
    """

    groups: tuple[PairGroup, ...]
    places: Tensor
    similarities: Tensor


class StudentObjective:
    """Distillation of a fine or coarse student from labelled pairs.

    Args:
        network: the student, trained in place.
        features: videos, and their edited copies.
        train: pairs to learn from; each epoch draws one near and one far pair for every anchor.
        validation: pairs, of other clusters, that the validation loss is measured on.
        config: how pairs become batches.
        seed: of every draw.
        replicas: the processes that learn it together, each from its share of every batch's pairs.
    """

    def __init__(  # noqa: PLR0913
        self,
        network: Student,
        features: FeatureSet,
        *,
        train: Sequence[LabelledPair],
        validation: Sequence[LabelledPair],
        config: DistillationConfig,
        seed: int,
        replicas: DataParallel = SINGLE,
    ) -> None:
        self.network = network
        self._features = features
        self._near, self._far = _by_anchor(train, "near"), _by_anchor(train, "far")
        self._anchors = tuple(sorted(self._near))
        self._validation = tuple(validation)
        self._config = config
        self._seed = seed
        self._replicas = replicas

    def batches(self, epoch: int) -> Iterator[PairBatch]:
        """Yield the epoch's batches, drawn from (seed, epoch)."""
        rng = np.random.default_rng([self._seed, epoch])
        order = [self._anchors[row] for row in rng.permutation(len(self._anchors))]
        for start in range(0, len(order), self._config.batch_triplets):
            pairs = []
            for anchor in order[start : start + self._config.batch_triplets]:
                pairs += [_draw(pool[anchor], rng) for pool in (self._near, self._far) if anchor in pool]
            yield self._batch(pairs, rng)

    def loss(self, batch: PairBatch) -> Tensor:
        """L1 to the teacher, plus the regularisation of a fine student; of a coarse one up to a line."""
        predicted, regularisation = self._predicted(batch)
        loss = distillation_loss(self._on_scale(predicted, batch.similarities), batch.similarities)
        return loss + self._config.regularisation_weight * regularisation / len(batch.similarities)

    def validation_loss(self) -> float:
        """Mean L1 to the teacher over all validation pairs, without augmentation."""
        size = 2 * self._config.batch_triplets
        predicted, wanted = [], []
        for start in range(0, len(self._validation), size):
            batch = self._batch(self._validation[start : start + size], None)
            predicted.append(self._predicted(batch)[0])
            wanted.append(batch.similarities)
        similarities = torch.cat(wanted)
        return float(distillation_loss(self._on_scale(torch.cat(predicted), similarities), similarities))

    def _on_scale(self, predicted: Tensor, similarities: Tensor) -> Tensor:
        return rescaled(predicted, similarities) if isinstance(self.network, CoarseStudent) else predicted

    def _predicted(self, batch: PairBatch) -> tuple[Tensor, Tensor]:
        found = [self._compared(group) for group in batch.groups]
        nothing = batch.similarities.new_zeros(0)
        predicted = torch.cat([nothing, *(similarities for similarities, _ in found)])[batch.places]
        regularisation = torch.stack([nothing.sum(), *(excess for _, excess in found)]).sum()
        joined = self._replicas.joined(predicted, len(batch.similarities))
        return joined, self._replicas.summed(regularisation)

    def _compared(self, group: PairGroup) -> tuple[Tensor, Tensor]:
        student, rows = self.network, group.rows
        anchors = student.index(group.anchors, group.anchor_mask)[rows]
        targets = student.index(group.targets, group.target_mask)
        if isinstance(student, CoarseStudent):
            cosine = (anchors * targets).sum(dim=-1)
            return cosine.float(), cosine.new_zeros((), dtype=torch.float32)
        masks = group.anchor_mask[rows], group.target_mask
        similarity, regularisation = student.pair_similarity(anchors, targets, *masks)
        return similarity.float(), regularisation

    def _batch(self, pairs: Sequence[LabelledPair], rng: np.random.Generator | None) -> PairBatch:
        anchors = {name: self._frames(name, None, rng) for name in dict.fromkeys(p.anchor for p in pairs)}
        targets = [self._frames(pair.target, self._config.augmentation_probability, rng) for pair in pairs]
        share = range(len(pairs))[self._replicas.share(len(pairs))]
        buckets: dict[tuple[int, int], list[int]] = {}
        for row in share:
            lengths = len(anchors[pairs[row].anchor]), len(targets[row])
            buckets.setdefault(self._bucket(*lengths), []).append(row)
        groups = [
            _group(anchors, [(pairs[row].anchor, targets[row]) for row in rows]) for rows in buckets.values()
        ]
        order = torch.tensor([row for rows in buckets.values() for row in rows], dtype=torch.int64)
        similarities = torch.tensor([pair.similarity for pair in pairs], dtype=torch.float32)
        device = next(self.network.parameters()).device
        return PairBatch(
            tuple(to_device_of(self.network, group) for group in groups),
            order.argsort().to(device),
            similarities.to(device),
        )

    def _bucket(self, n_anchor: int, n_target: int) -> tuple[int, int]:
        # A coarse student compares vectors, and the gradient of its last layer, which takes most of its
        # time, is as much work for a group of one pair as for all.
        if isinstance(self.network, CoarseStudent):
            return 0, 0
        return -(-n_anchor // _BUCKET_FRAMES), -(-n_target // _BUCKET_FRAMES)

    def _frames(
        self, video_id: str, augmentation: float | None, rng: np.random.Generator | None
    ) -> Float32Array:
        regions = self._features.regions(video_id)
        frames = np.arange(len(regions), dtype=np.int64)
        if rng is not None and augmentation is not None:
            frames = augmented_frames(len(regions), rng, probability=augmentation)
        if rng is not None:
            frames = random_crop(frames, self._config.window_frames, rng)
        return regions[frames]


def _group(videos: Mapping[str, Float32Array], pairs: Sequence[tuple[str, Float32Array]]) -> PairGroup:
    """Pairs of an anchor, by its name among ``videos``, with a target."""
    rows = {name: row for row, name in enumerate(dict.fromkeys(name for name, _ in pairs))}
    anchors, targets = padded([videos[name] for name in rows]), padded([target for _, target in pairs])
    return PairGroup(*anchors, *targets, torch.tensor([rows[name] for name, _ in pairs]))


def _by_anchor(pairs: Sequence[LabelledPair], pool: Pool) -> dict[str, list[LabelledPair]]:
    grouped: dict[str, list[LabelledPair]] = {}
    for pair in pairs:
        if pair.pool == pool:
            grouped.setdefault(pair.anchor, []).append(pair)
    return grouped


def _draw(pairs: Sequence[LabelledPair], rng: np.random.Generator) -> LabelledPair:
    return pairs[int(rng.integers(len(pairs)))]
