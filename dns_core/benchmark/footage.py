"""Which videos of one side of a benchmark show footage of the other side's."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dns_core.errors import VideoError
from dns_core.ports import Progress
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import FeaturePipeline, open_features
from dns_core.stages.shared_footage import Nearest, nearest_videos
from dns_core.store.feature_store import FeatureStore, FeatureWriter

# Below what `validate_data` asks (0.6), which sees the videos through a whitening of their own; record 0008.
_SHARED = 0.53
_CANDIDATES = 20


def shared_footage(
    training: Mapping[str, Path], tests: Mapping[str, Path], progress: Progress
) -> list[Nearest]:
    """The training videos that show what a test video shows, as the models that come along see it.

    Args:
        training: files by id.
        tests: files by id, that nothing may have been learnt from.
        progress: shown over all files.

    Returns:
        Each with the test video most like it.
    """
    pipeline = open_features(Bundle.load(SHIPPED_MODELS))
    with (
        _described(pipeline, training, "training", progress) as trained,
        _described(pipeline, tests, "test", progress) as tested,
    ):
        if not (trained.ids and tested.ids):
            return []
        found = nearest_videos(
            trained, tested, candidates=_CANDIDATES, progress=progress, told="seeking training videos in test"
        )
    return [row for row in found if row.similarity > _SHARED]


@contextmanager
def _described(
    pipeline: FeaturePipeline, videos: Mapping[str, Path], side: str, progress: Progress
) -> Iterator[FeatureStore]:
    """Features of the videos that can be decoded; of the others nothing can be learnt either."""
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "features.hdf5"
        writer = FeatureWriter(path, metadata={}, partial=Path(scratch) / "partial")
        described = []
        for video_id, file in progress.track(videos.items(), f"looking at {side} videos", len(videos)):
            with suppress(VideoError):
                features = pipeline.features(file, video_id)
                writer.write(video_id, [(features.regions, features.times_s)])
                described.append(video_id)
        writer.finish(described)
        with FeatureStore.open(path) as store:
            yield store
