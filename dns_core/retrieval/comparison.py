"""Two videos compared on their own, without an index."""

from dataclasses import dataclass

import numpy as np

from dns_core.records import Float32Array, Float64Array, Segment, VideoFeatures
from dns_core.retrieval.background_scores import BackgroundFine
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.calibration import fine_level
from dns_core.retrieval.chunked_video import ChunkedVideo, chunked_scores, pair_segments
from dns_core.retrieval.scorer import scorer_of


@dataclass(frozen=True, slots=True)
class Comparison:
    """How alike two videos are, and where.

    Attributes:
        score: raw fine score in [-1, 1].
        calibrated: probability of a match in (0, 1).
        matrix: ``[Ta, Tb]`` similarity of frames in [-1, 1], before the comparator.
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
    score = chunked_scores(scorer, query, [target])
    level = fine_level(BackgroundFine(scorer, bundle.background).scores(query))
    threshold = bundle.calibration.frame_threshold(fine)
    return Comparison(
        score=float(score[0]),
        calibrated=float(bundle.calibration.scale(fine).probabilities(score, level)[0]),
        matrix=np.array(scorer.matrices(query.frames, [target.frames])[0]),
        segments=pair_segments(scorer, query, target, threshold=threshold),
        query_times_s=a.times_s,
        target_times_s=b.times_s,
    )
