"""The background: videos that travel with the models, and how high queries score with them.

A query that is tiny, dark or filmed off a screen scores low with everything, one that is plain scores high.
How high is seen on videos that never change, so that no score depends on what else an index holds.

Reference: score normalisation: Pizzi et al., SSCD, CVPR 2022, section 5.3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from dns_core.errors import CorruptArtefactError, InputError
from dns_core.records import Float32Array, VideoFeatures
from dns_core.store.weights import read_weights, save_weights


@dataclass(frozen=True, slots=True)
class Background:
    """Whitened features ``[T, R, d]`` of the videos, of a few frames each; R and d are those of the models.

    Raises:
        InputError: there is none.
    """

    videos: tuple[VideoFeatures, ...]

    def __post_init__(self) -> None:
        if not self.videos:
            raise InputError("a background needs videos, found none")

    def save(self, path: Path) -> None:
        """Write a safetensors file, in half precision, atomically."""
        regions = np.concatenate([video.regions for video in self.videos]).astype(np.float16)
        lengths = np.array([video.n_frames for video in self.videos], dtype=np.int64)
        save_weights(path, {"regions": regions, "lengths": lengths}, {})

    @classmethod
    def load(cls, path: Path) -> Self:
        """The background that `save` wrote.

        Raises:
            MissingArtefactError: there is no such file.
            CorruptArtefactError: the file is damaged or holds something else.
        """
        arrays, _ = read_weights(path)
        try:
            regions, lengths = arrays["regions"].astype(np.float32), arrays["lengths"]
        except KeyError as error:
            raise CorruptArtefactError(f"{path} does not hold a background: it lacks {error}") from error
        if regions.ndim != 3 or not len(lengths) or lengths.min() < 1 or lengths.sum() != len(regions):
            raise CorruptArtefactError(
                f"{path} does not hold a background: expected [T, R, D] of videos of a frame or more, "
                f"found {regions.shape} of lengths that sum to {lengths.sum()}"
            )
        parts = np.split(regions, np.cumsum(lengths)[:-1])
        return cls(tuple(_numbered(number, part) for number, part in enumerate(parts)))


def drawn_background(videos: Sequence[VideoFeatures], n_frames: int, seed: int) -> Background:
    """A background of an excerpt of at most ``n_frames`` of each video.

    Raises:
        InputError: there is no video.
    """
    drawn = []
    for number, video in enumerate(videos):
        first = int(np.random.default_rng([seed, number]).integers(max(1, video.n_frames - n_frames + 1)))
        part = slice(first, first + n_frames)
        drawn.append(VideoFeatures(video.video_id, video.regions[part], video.times_s[part]))
    return Background(tuple(drawn))


def _numbered(number: int, regions: Float32Array) -> VideoFeatures:
    return VideoFeatures(f"background {number}", regions, np.arange(len(regions), dtype=np.float64))
