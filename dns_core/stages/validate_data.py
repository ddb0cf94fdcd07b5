"""Stage ``validate_data``.

Reads: artifacts/probes, artifacts/features/quarantine, artifacts/whitened.
Writes: artifacts/quality/validate_data.json and .html (what is expected and what is not met), and
    artifacts/quality/validate_data.passed, which training waits for.
Params: validate_data.
Repeats exactly: yes, seeded.
"""

from collections.abc import Iterator

from pydantic import Field

from dns_core.data_checks.facts import corpus_facts, feature_facts
from dns_core.data_checks.shared_footage import nearest_videos
from dns_core.ports import Progress
from dns_core.records import FactTable
from dns_core.stages.shared.validation_marker import write_validation_marker
from dns_core.store.feature_store import FeatureStore
from dns_core.workspace import COLLECTIONS, StageConfig, StageContext, Workspace


class CorpusLimits(StageConfig):
    """What files must be like.

    Attributes:
        refused_share: of a collection's files that may be in quarantine.
        repeated_share: of a collection's files that may repeat the content of another.
        odd_share: of a collection's videos that may be outside of each of the limits that follow.
        shortest_s: seconds of a video, at least.
        longest_s: seconds of a video, at most.
        lowest_fps: frames a second, at least.
        highest_fps: frames a second, at most.
    """

    refused_share: float = Field(ge=0, le=1)
    repeated_share: float = Field(ge=0, le=1)
    odd_share: float = Field(ge=0, le=1)
    shortest_s: float = Field(ge=0)
    longest_s: float = Field(gt=0)
    lowest_fps: float = Field(ge=0)
    highest_fps: float = Field(gt=0)


class FeatureLimits(StageConfig):
    """What features must be like.

    Attributes:
        sample_videos: of each collection that are looked at, drawn at random.
        norm_tolerance: by which the length of a region may differ from 1.
        frames_tolerance: share by which the number of frames may differ from what the duration promises.
        odd_share: of the videos that may differ more.
    """

    sample_videos: int = Field(ge=1)
    norm_tolerance: float = Field(gt=0)
    frames_tolerance: float = Field(gt=0)
    odd_share: float = Field(ge=0, le=1)


class LeakageLimits(StageConfig):
    """How unlike the training videos a test video must be.

    Attributes:
        similarity: `dns_core.data_checks.shared_footage` above which two videos are taken for copies.
        candidates: training videos whose frames are compared with those of each test video.
    """

    similarity: float = Field(gt=0, le=1)
    candidates: int = Field(ge=1)


class DriftLimits(StageConfig):
    """How unlike the training videos new videos may be; for the flow that watches what comes in.

    Attributes:
        drift: `dns_core.data_checks.drift` above which new videos are other than what was learnt from.
        sample_videos: new videos that are looked at.
    """

    drift: float = Field(gt=0)
    sample_videos: int = Field(ge=1)


class Config(StageConfig):
    """Settings of the stage, and of the flow that watches for drift."""

    corpus: CorpusLimits
    features: FeatureLimits
    leakage: LeakageLimits
    drift: DriftLimits
    seed: int


def run(config: Config, context: StageContext) -> None:
    """Measure files, features and footage that training and test share, and have them judged."""
    workspace = context.workspace
    name = "validate_data"
    context.validator.validate(list(_tables(config, workspace, context.progress)), workspace.quality(name))
    write_validation_marker(workspace, name)


def _tables(config: Config, workspace: Workspace, progress: Progress) -> Iterator[FactTable]:
    files, described = config.corpus.model_dump(), config.features.model_dump()
    for part in COLLECTIONS:
        yield FactTable("corpus", part, corpus_facts(workspace, part), ("video",), files)
    for part in COLLECTIONS:
        facts = feature_facts(workspace, part, sample=config.features.sample_videos, seed=config.seed)
        yield FactTable("features", part, facts, ("video",), described)
    with FeatureStore.open(workspace.whitened("train")) as training:
        for part in COLLECTIONS[1:]:
            with FeatureStore.open(workspace.whitened(part)) as tests:
                found = nearest_videos(
                    tests,
                    training,
                    candidates=config.leakage.candidates,
                    progress=progress,
                    label="seeking test videos in training",
                )
            columns: dict[str, list[object]] = {
                "video": [row.video for row in found],
                "training_video": [row.nearest for row in found],
                "similarity": [round(row.similarity, 4) for row in found],
            }
            limits = config.leakage.model_dump()
            yield FactTable("leakage", part, columns, ("video", "training_video"), limits)
