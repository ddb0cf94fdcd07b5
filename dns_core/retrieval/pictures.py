"""Searching with one picture: the videos that show it, and the moment at which they do.

A picture says nothing of how a video continues: the coarse network and the comparator have little to look
at. It is compared with every frame of the index instead, by the similarity of their regions.
"""

import time

import numpy as np

from dns_core.errors import ParamsError
from dns_core.records import Float32Array, Int64Array, Match, QueryResult, Segment, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.localisation import sampling_period_s
from dns_core.retrieval.ranking import falling_order

_BLOCK_VIDEOS = 256


def search_any(engine: Engine, features: VideoFeatures, *, top_k: int, budget: Budget) -> QueryResult:
    """The ranked answers to a video or to a picture, whichever it is.

    Args:
        engine: an index, opened with its models.
        features: of the query.
        top_k: answers wanted; 0 ranks the whole index.
        budget: how much re-ranking to do for a video; a picture is compared with every frame.
    """
    if is_picture(features):
        return search_picture(engine, features, top_k=top_k)
    return engine.search(features, top_k=top_k, budget=budget)


def is_picture(features: VideoFeatures) -> bool:
    """Whether features are of a picture and its views, which last 0 s, or of a video of one frame."""
    return features.length_s == 0 or features.n_frames == 1


def search_picture(engine: Engine, picture: VideoFeatures, *, top_k: int) -> QueryResult:
    """The videos that show a picture, each with the moment of the frame that is most like it.

    The score is 1 for the very same frame and 0 for one that is no more like the picture than frames of
    unrelated videos are (`Calibration.frame_threshold`), and even between.

    Args:
        engine: an index, opened with its models.
        picture: whitened; frames are views of the same, of which the best counts.
        top_k: answers wanted; 0 ranks the whole index.

    Raises:
        ParamsError: ``top_k`` is negative.
    """
    if top_k < 0:
        raise ParamsError(f"top_k must be 0 (all) or more, got {top_k}")
    started = time.perf_counter()
    best, frames = _best_frames(engine, picture)
    ids = engine.index.ids
    order = falling_order(best, ids)[: top_k or len(ids)]
    floor = engine.bundle.calibration.frame_threshold(engine.fine)
    matches = tuple(
        Match(ids[row], _score(best[row], floor), "fine", (_moment(engine, row, frames[row], best[row]),))
        for row in order.tolist()
    )
    total_ms = (time.perf_counter() - started) * 1000
    return QueryResult(
        picture.video_id, matches, engine.index.coverage, {"fine": total_ms, "total": total_ms}
    )


def _best_frames(engine: Engine, picture: VideoFeatures) -> tuple[Float32Array, Int64Array]:
    """``[V]``: the highest similarity of a frame of each video with the picture, and which frame has it."""
    query = engine.stretches(picture)
    n_videos = engine.index.n_videos
    best, frames = np.empty(n_videos, dtype=np.float32), np.empty(n_videos, dtype=np.int64)
    for start in range(0, n_videos, _BLOCK_VIDEOS):
        rows = range(start, min(start + _BLOCK_VIDEOS, n_videos))
        stored = [engine.stretches_of(engine.index.record(row)).frames for row in rows]
        for row, matrix in zip(rows, engine.matrices(query, stored), strict=True):
            by_frame = matrix.max(axis=0)
            frames[row] = int(by_frame.argmax())
            best[row] = by_frame[frames[row]]
    return best, frames


def _score(similarity: float, floor: float) -> float:
    return float(np.clip((similarity - floor) / max(1.0 - floor, 1e-6), 0.0, 1.0))


def _moment(engine: Engine, row: int, frame: int, similarity: float) -> Segment:
    """From the frame to the next one."""
    times_s = engine.index.record(row).times_s
    period_s = sampling_period_s(times_s)
    start_s = float(times_s[frame])
    return Segment(0.0, 0.0, start_s, start_s + period_s, float(similarity))
