"""Searching with one picture: the videos that show it, and the moment at which they do.

A picture says nothing of how a video continues: the coarse network and the comparator have little to look
at. It is compared with every frame of the index instead, by the similarity of their regions.
"""

import time
from dataclasses import replace

import numpy as np

from dns_core.errors import ParamsError, ShardsLostError
from dns_core.records import PictureMatch, QueryResult, Segment, VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.shards import BestFrame


def search_any(
    engine: Engine, features: VideoFeatures, *, top_k: int, budget: Budget, partial: bool = True
) -> QueryResult:
    """The ranked answers to a video or to a picture, whichever it is.

    Args:
        engine: an index, opened with its models.
        features: of the query.
        top_k: answers wanted; 0 ranks the whole index.
        budget: how much re-ranking to do for a video; a picture is compared with every frame.
        partial: where shards are lost, answer as if the index were without them, and name them.

    Raises:
        ShardsLostError: shards are lost, and all are wanted, or nothing is left.
    """
    lost: tuple[str, ...] = ()
    while True:
        try:
            found = _search(engine, features, top_k, budget)
        except ShardsLostError as error:
            if not partial:
                raise
            engine, lost = engine.over(engine.shards.without(error.names)), (*lost, *error.names)
            if not engine.shards.n_videos:
                raise
        else:
            return replace(found, missing_shards=tuple(sorted(lost)))


def _search(engine: Engine, features: VideoFeatures, top_k: int, budget: Budget) -> QueryResult:
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
    floor = engine.bundle.calibration.frame_threshold(engine.fine)
    matches = tuple(
        PictureMatch(
            found.video_id, _score(found.similarity, floor), "fine", (_moment(found),), found.likely_s
        )
        for found in engine.shards.best_frames(engine.stretches(picture), top_k)
    )
    total_ms = (time.perf_counter() - started) * 1000
    return QueryResult(picture.video_id, matches, engine.coverage, {"fine": total_ms, "total": total_ms})


def _score(similarity: float, floor: float) -> float:
    return float(np.clip((similarity - floor) / max(1.0 - floor, 1e-6), 0.0, 1.0))


def _moment(found: BestFrame) -> Segment:
    """From the frame to the next one."""
    return Segment(0.0, 0.0, found.start_s, found.stop_s, found.similarity)
