"""Two videos frame by frame, at a size that a screen can show."""

import math

import numpy as np

from dns_apps.service.live_index import LoadedIndex
from dns_apps.service.refusals import RefusalError
from dns_apps.service.schemas import Comparison, Segment, StoredExcerpt
from dns_core.records import Float32Array
from dns_core.retrieval.background_scores import BackgroundFine
from dns_core.retrieval.calibration import fine_level
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores, pair_segments
from dns_core.retrieval.index_settings import IndexSettings
from dns_core.retrieval.localisation import alignment_paths, pair_threshold
from dns_core.retrieval.scorer import FineScorer, scorer_of

_BLOCK_ROWS = 256
_DECIMALS = 3


def stored_stretches(loaded: LoadedIndex, fine: str, stretch: StoredExcerpt) -> ChunkedVideo:
    """A stretch of an indexed video, as the index keeps it: its file is not needed.

    Raises:
        RefusalError: the index does not hold the video, or no frame of it lies in the stretch.
    """
    record = loaded.index.record(loaded.row(stretch.video_id))
    stop_s = math.inf if stretch.stop_s is None else stretch.stop_s
    first, last = np.searchsorted(record.times_s, (stretch.start_s, stop_s))
    if first == last:
        end_s = float(record.times_s[-1])
        raise RefusalError(422, f"the video ends at {end_s:.1f} s, before the stretch that was asked for")
    times_s, frames = record.times_s[first:last], record.frames[loaded.engine(fine).fine][first:last]
    chunking = IndexSettings.of(loaded.index.manifest).chunking
    length_s = min(stop_s, record.probe.duration_s) if record.probe else None
    return ChunkedVideo(frames, times_s, chunking.spans(len(times_s)), length_s)


def comparison(
    loaded: LoadedIndex, fine: str, query: ChunkedVideo, target: ChunkedVideo, max_side: int
) -> Comparison:
    """How alike two videos are, and where; long ones in a matrix whose cells are the highest of a block.

    Args:
        loaded: has the networks.
        fine: the network that compares.
        query: its frames are the rows.
        target: its frames are the columns.
        max_side: rows and columns at most.
    """
    bundle = loaded.bundle
    scorer = scorer_of(bundle.fine(fine))
    raw = chunked_scores(scorer, query, [target])
    level = fine_level(BackgroundFine(scorer, bundle.background).scores(query))
    floor = bundle.calibration.frame_threshold(fine)
    row_step, column_step = (math.ceil(len(side.times_s) / max_side) for side in (query, target))
    matrix = _pooled(scorer, query, target, row_step, column_step)
    rows_s, columns_s = query.times_s[::row_step], target.times_s[::column_step]
    # As the search does: where nothing stands out long enough, what unrelated videos rarely reach is a match.
    paths = alignment_paths(matrix, threshold=pair_threshold(matrix, floor)) or alignment_paths(
        matrix, threshold=floor
    )
    segments = pair_segments(scorer, query, target, threshold=floor)
    return Comparison(
        score=float(bundle.calibration.scale(fine).probabilities(raw, level)[0]),
        raw_score=float(raw[0]),
        query_times_s=tuple(rows_s.tolist()),
        target_times_s=tuple(columns_s.tolist()),
        matrix=tuple(map(tuple, matrix.astype(np.float64).round(_DECIMALS).tolist())),
        paths=tuple(tuple((float(rows_s[q]), float(columns_s[t])) for q, t in path) for path in paths),
        segments=tuple(Segment.model_validate(segment, from_attributes=True) for segment in segments),
    )


def _pooled(
    scorer: FineScorer, query: ChunkedVideo, target: ChunkedVideo, row_step: int, column_step: int
) -> Float32Array:
    """The matrix of frames, block by block of rows: the whole one of two films would take gigabytes."""
    columns = np.arange(0, len(target.times_s), column_step)
    stride = max(1, _BLOCK_ROWS // row_step) * row_step
    parts = []
    for start in range(0, len(query.times_s), stride):
        block = scorer.matrices(query.frames[start : start + stride], [target.frames])[0]
        narrow = np.maximum.reduceat(block, columns, axis=1)
        parts.append(np.maximum.reduceat(narrow, np.arange(0, len(narrow), row_step), axis=0))
    return np.concatenate(parts).astype(np.float32)
