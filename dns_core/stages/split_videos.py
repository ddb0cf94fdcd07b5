"""Stage ``split_videos``.

Reads: artifacts/whitened/train.hdf5.
Writes: artifacts/split.json: clusters of shared footage, training and validation videos.
Params: split_videos.
Repeats exactly: yes, seeded.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import Field

from dns_core.errors import MissingArtefactError
from dns_core.store.atomic import read_json, write_json
from dns_core.store.feature_store import FeatureStore
from dns_core.training.batches import FeatureSet
from dns_core.training.clusters import FrameIndex, duplicate_clusters, likely_duplicates, split_by_cluster
from dns_core.workspace import StageConfig, StageContext, Workspace


class Config(StageConfig):
    """Settings of the stage.

    Attributes:
        same_frame: cosine above which two frames are taken for the same footage.
        min_frames: frames that two videos must share to stand in one cluster.
        validation_share: share of the videos that is held out, in whole clusters.
        seed: of the draw of clusters.
    """

    same_frame: float = Field(gt=0, le=1)
    min_frames: int = Field(ge=1)
    validation_share: float = Field(gt=0, lt=1)
    seed: int


@dataclass(frozen=True, slots=True)
class VideoSplit:
    """What the stage wrote; ``alike[video]`` are the videos that share footage with it."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    cluster_of: dict[str, int]
    alike: dict[str, frozenset[str]]


def run(config: Config, context: StageContext) -> None:
    """Cluster the training videos by shared footage and hold out whole clusters."""
    with FeatureStore.open(context.workspace.whitened("train")) as store:
        features = FeatureSet([store])
        ids = features.ids
        index = FrameIndex(features, ids)
        alike = likely_duplicates(index, threshold=config.same_frame, min_frames=config.min_frames)
        np.fill_diagonal(alike, val=False)
        split = split_by_cluster(
            ids, duplicate_clusters(alike), validation_share=config.validation_share, seed=config.seed
        )
    n_clusters = len(set(split.cluster_of.values()))
    context.progress.say(
        f"{len(ids)} videos in {n_clusters} clusters of shared footage: "
        f"{len(split.train)} to learn from, {len(split.validation)} to validate with"
    )
    write_json(
        context.workspace.split,
        {
            "train": split.train,
            "validation": split.validation,
            "cluster_of": split.cluster_of,
            "alike": {
                ids[row]: [ids[column] for column in np.flatnonzero(alike[row])] for row in range(len(ids))
            },
        },
    )


def read_split(workspace: Workspace) -> VideoSplit:
    """What `run` wrote.

    Raises:
        MissingArtefactError: if the stage has not run.
    """
    if not workspace.split.exists():
        raise MissingArtefactError(f"{workspace.split}: not found; run `dns stage split_videos` first")
    content = read_json(workspace.split)
    return VideoSplit(
        train=tuple(content["train"]),
        validation=tuple(content["validation"]),
        cluster_of=content["cluster_of"],
        alike={video_id: frozenset(others) for video_id, others in content["alike"].items()},
    )
