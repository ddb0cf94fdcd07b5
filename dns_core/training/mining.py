"""Pools of promising pairs over an unlabelled corpus, as DnS-100K was made (the paper, section 4.2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.ports import Progress
from dns_core.records import Float32Array
from dns_core.store.atomic import atomic_file
from dns_core.training.batches import FeatureSet, excerpt_id, random_excerpt
from dns_core.training.clusters import FrameIndex
from dns_core.training.config import StrictModel

Pool = Literal["near", "far"]


class PoolConfig(StrictModel):
    """Which pairs are formed.

    Attributes:
        excerpts: excerpts of each video and edited copy that are anchors too: what users ask with.
        near: closest videos paired with each anchor.
        far: random other videos paired with each anchor.
        seed: of the draw of far videos.
    """

    excerpts: int = Field(ge=0)
    near: int = Field(ge=1)
    far: int = Field(ge=1)
    seed: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two videos worth comparing, and the pool that ``target`` was drawn from for ``anchor``."""

    anchor: str
    target: str
    pool: Pool


def mine_pairs(
    features: FeatureSet, ids: Sequence[str], config: PoolConfig, progress: Progress
) -> list[Pair]:
    """For each anchor its closest videos by nearest frames and random others.

    The near pool holds copies, other footage of the same thing and the hardest unrelated videos; the far pool
    other unrelated videos. An anchor is never paired with itself, nor with what it is an excerpt of.

    Args:
        features: where the videos are read from.
        ids: anchors and targets alike; one side of the split at a time. Excerpts are anchors only.
        config: sizes of the pools.
        progress: shown over anchors.
    """
    index = FrameIndex(features, ids)
    anchors = [(video_id, video_id) for video_id in ids]
    rng = np.random.default_rng(config.seed)
    for video_id in [video_id for video_id in ids for _ in range(config.excerpts)]:
        anchors.append((excerpt_id(video_id, random_excerpt(features.n_frames(video_id), rng)), video_id))
    pairs: list[Pair] = []
    for number, (anchor, of) in enumerate(progress.track(anchors, "mining pairs", len(anchors))):
        similarities = index.video_similarities(features.regions(anchor), n_neighbours=256)
        order = [ids[row] for row in np.argsort(-similarities, kind="stable") if ids[row] != of]
        pairs += [Pair(anchor, target, "near") for target in order[: config.near]]
        rest = sorted(order[config.near :])
        drawn = np.random.default_rng([config.seed, number]).permutation(len(rest))[: config.far]
        pairs += [Pair(anchor, rest[row], "far") for row in drawn]
    return pairs


def write_table(path: Path, columns: Mapping[str, Sequence[object] | Float32Array]) -> None:
    """Write named columns of equal length as one Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as target:
        pq.write_table(pa.table(dict(columns)), target)


def read_table(path: Path) -> dict[str, list[object]]:
    """Read back what `write_table` wrote, by column.

    Raises:
        MissingArtefactError: if there is no such file.
        CorruptArtefactError: if it is not a whole Parquet file.
    """
    if not path.exists():
        raise MissingArtefactError(f"{path}: expected a table of pairs, found nothing")
    try:
        columns: dict[str, list[object]] = pq.read_table(path).to_pydict()
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptArtefactError(f"{path}: expected a Parquet table ({error})") from error
    return columns
