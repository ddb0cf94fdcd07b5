"""Feature files in the reference's own layout: ``file[video_id]`` is ``[T, R, D]`` float32, and nothing else.

`dns_core.store.feature_store.FeatureStore` reads them. Frame times and metadata have no place in them, so
that what is written here and read again has lost both.
"""

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np

from dns_core.records import VideoFeatures
from dns_core.store.atomic import atomic_file


def write_reference_features(path: Path, videos: Iterable[VideoFeatures]) -> int:
    """The number of videos that ``path`` now holds for the reference's scripts; one is in memory at a time.

    Args:
        path: the HDF5 file to write, atomically.
        videos: of different ids; an id with ``/`` lies in nested groups, as the reference reads it.

    Raises:
        ValueError: an id comes twice, or the features of a video are not finite.
    """
    count = 0
    with atomic_file(path) as temporary, h5py.File(temporary, "w") as file:
        for video in videos:
            if video.video_id in file:
                raise ValueError(f"{path}: expected different ids, found {video.video_id!r} twice")
            if not np.isfinite(video.regions).all():
                raise ValueError(
                    f"{path}: {video.video_id!r}: expected finite features, found NaN or infinity"
                )
            file.create_dataset(video.video_id, data=video.regions.astype(np.float32), track_times=False)
            count += 1
    return count
