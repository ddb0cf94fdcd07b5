"""Which videos of a benchmark show the same footage: training videos that a test video shows, and twins."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from dns_core.data_checks.shared_footage import Nearest, alikeness, frames_of, nearest_videos
from dns_core.errors import VideoError
from dns_core.ports import Progress
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import open_features
from dns_core.store.feature_store import FeatureStore, FeatureWriter

# Below what `validate_data` asks (0.6), which sees the videos through a whitening of their own; record 0008.
_SHARED = 0.53
# By eye: below it are other takes in the same room, above it the same footage, coded, cut or drawn on.
_TWIN = 0.65
_CANDIDATES = 20


@contextmanager
def described(videos: Mapping[str, Path], side: str, progress: Progress) -> Iterator[FeatureStore]:
    """Context with the features that the shipped models give the videos that can be decoded.

    Args:
        videos: files by id.
        side: what they are called in the progress.
        progress: shown over all files.
    """
    pipeline = open_features(Bundle.load(SHIPPED_MODELS))
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "features.hdf5"
        writer = FeatureWriter(path, metadata={}, partial=Path(scratch) / "partial")
        readable = []
        for video_id, file in progress.track(videos.items(), f"looking at {side} videos", len(videos)):
            with suppress(VideoError):
                features = pipeline.features(file, video_id)
                writer.write(video_id, [(features.regions, features.times_s)])
                readable.append(video_id)
        writer.finish(readable)
        with FeatureStore.open(path) as store:
            yield store


def shared_footage(training: FeatureStore, tests: FeatureStore, progress: Progress) -> list[Nearest]:
    """The training videos that show what a test video shows, each with the test video most like it.

    Args:
        training: as `described`.
        tests: likewise; nothing may have been learnt from them.
        progress: shown over the training videos.
    """
    if not (training.ids and tests.ids):
        return []
    found = nearest_videos(
        training, tests, candidates=_CANDIDATES, progress=progress, label="seeking training videos in test"
    )
    return [row for row in found if row.similarity > _SHARED]


def twins(videos: FeatureStore) -> dict[str, tuple[str, ...]]:
    """By video, the others that show the same footage; videos without any are left out.

    Args:
        videos: as `described`.
    """
    frames = [frames_of(videos, video_id) for video_id in videos.ids]
    alike = np.zeros((len(frames), len(frames)), dtype=bool)
    for row, one in enumerate(frames):
        for column in range(row):
            alike[row, column] = alike[column, row] = alikeness(one, frames[column]) > _TWIN
    return {
        video_id: tuple(videos.ids[column] for column in np.flatnonzero(alike[row]))
        for row, video_id in enumerate(videos.ids)
        if alike[row].any()
    }
