"""Features of a benchmark's videos, one by one, and why some cannot be used."""

import numpy as np

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_core.records import Float32Array, Quarantined
from dns_core.store.feature_store import FeatureStore


def usable_regions(store: FeatureStore, video_id: str, dims: int) -> Float32Array | Quarantined:
    """``[T, R, dims]`` of one video, or the reason why there is none.

    Args:
        store: the features.
        video_id: the video.
        dims: D that the networks take.
    """
    try:
        regions = store.read(video_id).regions
    except MissingArtefactError as error:
        return Quarantined(video_id, "missing", str(error))
    except CorruptArtefactError as error:
        return Quarantined(video_id, "corrupt", str(error))
    if regions.shape[-1] != dims or not regions.shape[1]:
        detail = f"{store.path}: {video_id}: expected features [T, R, {dims}], found {list(regions.shape)}"
        return Quarantined(video_id, "wrong_shape", detail)
    if not len(regions):
        return Quarantined(video_id, "no_frames", f"{store.path}: {video_id}: expected frames, found none")
    if not np.isfinite(regions).all():
        detail = f"{store.path}: {video_id}: expected finite features, found NaN or infinity"
        return Quarantined(video_id, "not_finite", detail)
    return regions
