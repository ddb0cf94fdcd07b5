"""Two videos frame by frame, at a size that a screen can show."""

import math

import numpy as np

from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.refusals import RefusalError
from dns_apps.service.schemas import Comparison, Segment, StoredExcerpt
from dns_core.retrieval.chunked_video import ChunkedVideo
from dns_core.retrieval.comparison import compare_chunked
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.localisation import above_noise, alignment_paths, path_points

_DECIMALS = 3


def stored_stretches(loaded: LoadedIndex, fine: str, stretch: StoredExcerpt) -> ChunkedVideo:
    """A stretch of an indexed video, as the index keeps it: its file is not needed.

    Raises:
        RefusalError: the index does not hold the video, or no frame of it lies in the stretch.
    """
    record = loaded.index.record(loaded.row(stretch.video_id))
    stop_s = math.inf if stretch.stop_s is None else stretch.stop_s
    inside = (record.times_s >= stretch.start_s) & (record.times_s < stop_s)
    if not inside.any():
        end_s = float(record.times_s.max())
        raise RefusalError(422, f"the video ends at {end_s:.1f} s, before the stretch that was asked for")
    times_s, frames = record.times_s[inside], record.frames[loaded.engine(fine).fine][inside]
    chunking = IndexSettings.of(loaded.index.manifest).chunking
    length_s = min(stop_s, record.probe.duration_s) if record.probe else None
    return ChunkedVideo(frames, times_s, chunking.pane_chunks(times_s), length_s)


def comparison(
    loaded: LoadedIndex, fine: str, query: ChunkedVideo, target: ChunkedVideo, max_side: int
) -> Comparison:
    """The similarity of two videos, and where they match, for a screen.

    Args:
        loaded: has the networks.
        fine: the network that compares.
        query: its frames are the rows.
        target: its frames are the columns.
        max_side: rows and columns at most.
    """
    floor = loaded.bundle.calibration.frame_threshold(fine)
    found = compare_chunked(query, target, loaded.bundle, fine, max_side=max_side)
    rows_s, columns_s = found.query_times_s, found.target_times_s
    paths = above_noise(found.matrix, floor, lambda least: alignment_paths(found.matrix, threshold=least))
    return Comparison(
        score=found.calibrated,
        raw_score=found.score,
        query_times_s=tuple(rows_s.tolist()),
        target_times_s=tuple(columns_s.tolist()),
        matrix=tuple(map(tuple, found.matrix.astype(np.float64).round(_DECIMALS).tolist())),
        paths=tuple(
            tuple((float(q), float(t)) for q, t in path_points(path, found.matrix, rows_s, columns_s))
            for path in paths
        ),
        segments=tuple(Segment.model_validate(segment, from_attributes=True) for segment in found.segments),
    )
