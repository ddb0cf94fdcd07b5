"""Two videos compared on their own, without an index."""

import math
from dataclasses import dataclass

import numpy as np

from dns_core.records import Float32Array, Float64Array, Segment, VideoFeatures
from dns_core.retrieval.background_scores import BackgroundFine
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.calibration import fine_level
from dns_core.retrieval.chunked_video import ChunkedVideo, best_panes, chunked_scores, pair_segments
from dns_core.retrieval.scorer import FineScorer, scorer_of

_BLOCK_ROWS = 256


@dataclass(frozen=True, slots=True)
class Comparison:
    """The similarity of two videos, and where they match.

    Attributes:
        score: raw fine score in [-1, 1].
        calibrated: probability of a match in (0, 1).
        matrix: ``[Ta, Tb]`` similarity of frames in [-1, 1], before the comparator; of the panes that are
            most alike.
        segments: stretches that match; ``query`` is the first video.
        query_times_s: ``[Ta]`` times of the first video's frames.
        target_times_s: ``[Tb]`` times of the second video's frames.
    """

    score: float
    calibrated: float
    matrix: Float32Array
    segments: tuple[Segment, ...]
    query_times_s: Float64Array
    target_times_s: Float64Array


def compare(a: VideoFeatures, b: VideoFeatures, bundle: Bundle, fine: str = "fine_binary") -> Comparison:
    """What a search with ``a`` in an index of nothing but ``b`` would say of it, were it re-ranked.

    Args:
        a: whitened features of the first video, at least one frame.
        b: of the second.
        bundle: the models.
        fine: the fine network, or ``teacher``.

    Raises:
        InputError: a video has no frame, or there is no fine network of that name.
    """
    scorer = scorer_of(bundle.fine(fine))
    chunking = bundle.index_settings.chunking
    query, target = (ChunkedVideo.of(scorer, video, chunking) for video in (a, b))
    return compare_chunked(query, target, bundle, fine)


def compare_chunked(
    query: ChunkedVideo, target: ChunkedVideo, bundle: Bundle, fine: str, *, max_side: int | None = None
) -> Comparison:
    """As `compare`, of videos as the fine network has them.

    Args:
        query: its frames are the rows.
        target: its frames are the columns.
        bundle: the models.
        fine: the fine network, or ``teacher``.
        max_side: rows and columns of the matrix at most: a cell is then the highest of a block, its time
            that of the block's first frame.
    """
    scorer = scorer_of(bundle.fine(fine))
    score = chunked_scores(scorer, query, [target])
    level = fine_level(BackgroundFine(scorer, bundle.background).scores(query))
    query, target = best_panes(scorer, query, target)
    row_step, column_step = (
        math.ceil(len(side.times_s) / max_side) if max_side else 1 for side in (query, target)
    )
    return Comparison(
        score=float(score[0]),
        calibrated=float(bundle.calibration.scale(fine).probabilities(score, level)[0]),
        matrix=(
            _pooled(scorer, query, target, row_step, column_step)
            if max_side
            else np.array(scorer.matrices(query.frames, [target.frames])[0])
        ),
        segments=pair_segments(scorer, query, target, threshold=bundle.calibration.frame_threshold(fine)),
        query_times_s=query.times_s[::row_step],
        target_times_s=target.times_s[::column_step],
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
