"""The self-supervised objective of the teacher: a video must find its own edited copies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from dns_core.models.teacher import Teacher
from dns_core.records import Float32Array
from dns_core.training.augmentation import augmented_frames, random_crop
from dns_core.training.batches import FeatureSet, padded, random_excerpt, to_device_of, view_id
from dns_core.training.config import StrictModel
from dns_core.training.losses import hard_negative_loss, info_nce


class SelfSupervisionConfig(StrictModel):
    """The recipe of S2VS (Kordopatis-Zilos et al., CVPRW 2023), section 3.

    Attributes:
        batch_videos: B, videos a step; each is compared with the copies of all others.
        window_frames: longest stretch of a video used at once.
        temperature: of InfoNCE.
        hard_negative_weight: weight of the hard-negative loss (lambda).
        regularisation_weight: weight of the similarity regularisation.
        augmentation_probability: chance of each temporal augmentation of a copy.
        video_in_video_probability: chance that a copy is an excerpt between frames of another video.
        excerpt_probability: chance that a copy is cut to a stretch of a fifth to four fifths of it.
    """

    batch_videos: int = Field(ge=2)
    window_frames: int = Field(ge=4)
    temperature: float = Field(gt=0)
    hard_negative_weight: float = Field(ge=0)
    regularisation_weight: float = Field(ge=0)
    augmentation_probability: float = Field(ge=0, le=1)
    video_in_video_probability: float = Field(ge=0, le=1)
    excerpt_probability: float = Field(ge=0, le=1)


@dataclass(frozen=True, slots=True)
class TeacherBatch:
    """Anchors and copies ``[B, T, R, D]`` with masks ``[B, T]``; ``ignored`` ``[B, B]``: no negatives."""

    anchors: Tensor
    anchor_mask: Tensor
    copies: Tensor
    copy_mask: Tensor
    ignored: Tensor


class TeacherObjective:
    """Contrastive learning of a `Teacher` from videos and their edited copies.

    Args:
        network: the teacher, trained in place.
        features: videos, and their edited copies under `view_id`.
        train: videos to learn from.
        validation: videos, of other clusters, that the validation loss is measured on.
        alike: ``alike[video]``: the videos that likely share footage, which are no negatives of it.
        n_views: edited copies of each video.
        config: the recipe.
        seed: of every draw.
    """

    def __init__(  # noqa: PLR0913
        self,
        network: Teacher,
        features: FeatureSet,
        *,
        train: Sequence[str],
        validation: Sequence[str],
        alike: Mapping[str, frozenset[str]],
        n_views: int,
        config: SelfSupervisionConfig,
        seed: int,
    ) -> None:
        self.network = network
        self._features = features
        self._train = tuple(train)
        self._validation = tuple(validation)
        self._alike = alike
        self._n_views = n_views
        self._config = config
        self._seed = seed

    def batches(self, epoch: int) -> Iterator[TeacherBatch]:
        """Yield the epoch's batches, drawn from (seed, epoch)."""
        rng = np.random.default_rng([self._seed, epoch])
        order = [self._train[row] for row in rng.permutation(len(self._train))]
        for group in _groups(order, self._config.batch_videos):
            yield self._batch(group, rng)

    def loss(self, batch: TeacherBatch) -> Tensor:
        """InfoNCE + hard negatives + similarity regularisation."""
        config = self._config
        anchors = self.network.index(batch.anchors, batch.anchor_mask)
        copies = self.network.index(batch.copies, batch.copy_mask)
        cross, regularisation = self._cross_similarities(anchors, copies, batch)
        return (
            info_nce(cross, batch.ignored, temperature=config.temperature)
            + config.hard_negative_weight * hard_negative_loss(cross, batch.ignored)
            + config.regularisation_weight * regularisation
        )

    def validation_loss(self) -> float:
        """The same loss on held-out videos, with the same draws at every call."""
        rng = np.random.default_rng([self._seed, 2**31])
        groups = _groups(self._validation, self._config.batch_videos)
        return float(np.mean([float(self.loss(self._batch(group, rng))) for group in groups]))

    def _cross_similarities(
        self, anchors: Tensor, copies: Tensor, batch: TeacherBatch
    ) -> tuple[Tensor, Tensor]:
        """``[B, B]`` similarities of every anchor with every copy, and their regularisation a pair."""
        n = len(anchors)
        rows = torch.arange(n).repeat_interleave(n)
        columns = torch.arange(n).repeat(n)
        similarity, regularisation = self.network.pair_similarity(
            anchors[rows], copies[columns], batch.anchor_mask[rows], batch.copy_mask[columns]
        )
        return similarity.view(n, n).float(), regularisation / n**2

    def _batch(self, group: Sequence[str], rng: np.random.Generator) -> TeacherBatch:
        anchors, copies, ignored = [], [], []
        for video_id in group:
            first, second = rng.choice(self._n_views + 1, size=2, replace=False)
            anchors.append(self._version(video_id, int(first), rng))
            copy, shown = self._copy(video_id, int(second), group, rng)
            copies.append(copy)
            ignored.append([other != video_id and self._shares(other, shown) for other in group])
        # Rows are anchors: any excerpt that shares footage with a copy, or with what it was put into, is no
        # negative of it.
        batch = TeacherBatch(*padded(anchors), *padded(copies), torch.tensor(ignored).T)
        return to_device_of(self.network, batch)

    def _shares(self, video_id: str, shown: Sequence[str]) -> bool:
        return any(video_id == other or video_id in self._alike[other] for other in shown)

    def _version(self, video_id: str, number: int, rng: np.random.Generator) -> Float32Array:
        """Number 0 is the video itself, others are its edited copies; a stretch of the window's length."""
        regions = self._features.regions(video_id if number == 0 else view_id(video_id, number - 1))
        return regions[random_crop(np.arange(len(regions)), self._config.window_frames, rng)]

    def _copy(
        self, video_id: str, number: int, group: Sequence[str], rng: np.random.Generator
    ) -> tuple[Float32Array, list[str]]:
        """A changed version of a video, and the videos that it shows."""
        longest = 2 * self._config.window_frames
        regions = self._version(video_id, number, rng)
        regions = regions[
            augmented_frames(len(regions), rng, probability=self._config.augmentation_probability)
        ]
        if rng.random() < self._config.excerpt_probability:
            excerpt = random_excerpt(len(regions), rng)
            regions = regions[excerpt.start : excerpt.stop]
        unrelated = [other for other in group if not self._shares(other, [video_id])]
        if unrelated and rng.random() < self._config.video_in_video_probability:
            host = unrelated[int(rng.integers(len(unrelated)))]
            mixed = _video_in_video(regions, self._features.regions(host), rng)
            return mixed[:longest], [video_id, host]
        return regions[:longest], [video_id]


def _video_in_video(regions: Float32Array, host: Float32Array, rng: np.random.Generator) -> Float32Array:
    """Half or more of ``regions`` in one piece, between the two ends of a stretch of ``host``."""
    length = int(rng.integers((len(regions) + 1) // 2, len(regions) + 1))
    excerpt = regions[random_crop(np.arange(len(regions)), length, rng)]
    around = host[random_crop(np.arange(len(host)), max(length, 1), rng)]
    cut = int(rng.integers(len(around) + 1))
    return np.concatenate([around[:cut], excerpt, around[cut:]])


def _groups(ids: Sequence[str], size: int) -> list[Sequence[str]]:
    """Consecutive groups of ``size``; a last one of a single video joins the group before it."""
    groups = [ids[start : start + size] for start in range(0, len(ids), size)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    return groups


def spread_similarities(network: Teacher, copies: Float32Array, unrelated: Float32Array) -> None:
    """Stretch the teacher's output so that good copies score .9 and typical unrelated videos -.8.

    InfoNCE only makes copies score higher than unrelated videos; it leaves both in a narrow band; students
    would spend their training on its width. The map is affine and acts on the comparator's last layer,
    so the order of pairs stays but for what the hard-tanh then clips.

    Args:
        network: changed in place.
        copies: ``[N]`` similarities of videos and their edited copies.
        unrelated: ``[M]`` similarities of videos that share no footage.
    """
    low, high = float(np.median(unrelated)), float(np.quantile(copies, 0.9))
    slope = 1.7 / max(high - low, 1e-3)
    last = network.video_comperator.fconv
    with torch.no_grad():
        last.weight.mul_(slope)
        cast("Tensor", last.bias).mul_(slope).add_(-0.8 - slope * low)
