"""Fine comparison of videos that may be long: chunk by chunk, then put together."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from dns_core.index.chunks import Chunking, chunk_panes
from dns_core.index.encoded import EncodedVideo
from dns_core.index.npy_stream import AnyArray
from dns_core.records import (
    Float32Array,
    Float64Array,
    Int64Array,
    Segment,
    VideoFeatures,
    pane_spans,
)
from dns_core.retrieval.encode import frame_spans, stored_frames
from dns_core.retrieval.localisation import (
    PathFinder,
    above_noise,
    matched_segments,
    merged_segments,
    sampling_period_s,
)
from dns_core.retrieval.ranking import video_scores
from dns_core.retrieval.relation import within
from dns_core.retrieval.scorer import FineScorer
from dns_core.retrieval.temporal_network import temporal_network

# Sampling periods between pieces of a match that still belong together.
_GAP_PERIODS = 2
_LEAST_FRAMES = 8  # of what the comparator is given


@dataclass(frozen=True, slots=True)
class ChunkedVideo:
    """A video cut for fine comparison.

    Attributes:
        frames: ``[T, R, ...]`` as `FineScorer.stored`.
        times_s: ``[T]`` presentation times.
        spans: ``[C, 2]`` frames of each chunk.
        length_s: seconds that the video lasts; None if not known.
    """

    frames: AnyArray
    times_s: Float64Array
    spans: Int64Array
    length_s: float | None = None

    @classmethod
    def of(
        cls,
        scorer: FineScorer,
        features: VideoFeatures,
        chunking: Chunking,
        merge_from: float | None = None,
    ) -> Self:
        """Whitened features as an index would hold them.

        Args:
            scorer: of the fine network.
            features: at least one frame.
            chunking: how the video is cut.
            merge_from: see `dns_core.retrieval.encode.VideoEncoder`.

        Raises:
            InputError: there is no frame.
        """
        spans = frame_spans(features, chunking)
        frames = stored_frames(scorer, features.regions, merge_from)
        return cls(frames, features.times_s, spans, features.length_s)

    @classmethod
    def stored(cls, record: EncodedVideo, fine: str) -> Self:
        """A video of an index, as one of its fine networks compares it."""
        length_s = record.probe.duration_s if record.probe else None
        return cls(record.frames[fine], record.times_s, record.spans, length_s)

    @property
    def panes(self) -> Int64Array:
        """``[C]`` the pane of each chunk."""
        return chunk_panes(self.times_s, self.spans)

    def chunks(self) -> list[AnyArray]:
        """The frames of each chunk."""
        return [self.frames[start:stop] for start, stop in self.spans]

    def scored_chunks(self) -> list[AnyArray]:
        """As `chunks`, but each frame of a short chunk stands several times in a row.

        The comparator sees a match as a diagonal, and two or three frames make none.
        """
        return [np.repeat(chunk, -(-_LEAST_FRAMES // len(chunk)), axis=0) for chunk in self.chunks()]

    def pane(self, number: int) -> "ChunkedVideo":
        """One pane alone, by its number from 0."""
        start, stop = pane_spans(self.times_s)[number]
        spans = self.spans[self.panes == number] - start
        return ChunkedVideo(self.frames[start:stop], self.times_s[start:stop], spans, self.length_s)


def chunked_scores(scorer: FineScorer, query: ChunkedVideo, targets: Sequence[ChunkedVideo]) -> Float32Array:
    """``[K]`` raw fine scores in [-1, 1] of a query with each target; see `video_scores` for long ones."""
    chunks = [chunk for target in targets for chunk in target.scored_chunks()]
    offsets = np.concatenate([[0], np.cumsum([len(target.spans) for target in targets])])
    by_query_chunk = [scorer.scores(chunk, chunks) for chunk in query.scored_chunks()]
    return video_scores(np.stack(by_query_chunk), offsets.astype(np.int64), query.panes)


def best_panes(
    scorer: FineScorer, query: ChunkedVideo, target: ChunkedVideo
) -> tuple[ChunkedVideo, ChunkedVideo]:
    """The pane of a query and the pane of a target that are most alike; of one pane each, they themselves.

    Args:
        scorer: of the fine network.
        query: at least one frame.
        target: likewise.
    """
    query_panes, target_panes = query.panes, target.panes
    if query_panes[-1] == 0 and target_panes[-1] == 0:
        return query, target
    scores = np.stack([scorer.scores(chunk, target.scored_chunks()) for chunk in query.scored_chunks()])
    row, column = np.unravel_index(scores.argmax(), scores.shape)
    return query.pane(int(query_panes[row])), target.pane(int(target_panes[column]))


def pair_segments(
    scorer: FineScorer,
    query: ChunkedVideo,
    target: ChunkedVideo,
    *,
    threshold: float,
    finder: PathFinder = temporal_network,
) -> tuple[Segment, ...]:
    """Matched stretches of two videos, by start, in the panes that are most alike.

    Pieces that borders of chunks cut are joined. No segment ends after its video, by which sampling may miss
    the end.

    Args:
        scorer: of the fine network.
        query: what the segments' query times refer to.
        target: likewise.
        threshold: frame-frame similarity that counts as a match, at least; see `pair_threshold`.
        finder: of matching cells.
    """
    query, target = best_panes(scorer, query, target)
    pieces: list[Segment] = []
    for query_span, query_frames in zip(query.spans, query.chunks(), strict=True):
        matrices = scorer.matrices(query_frames, target.chunks())
        for target_span, matrix in zip(target.spans, matrices, strict=True):
            times = query.times_s[slice(*query_span)], target.times_s[slice(*target_span)]
            find = partial(_segments_from, matrix, times, finder)
            pieces += above_noise(matrix, threshold, find)
    if max(len(query.spans), len(target.spans)) > 1:
        period_s = max(sampling_period_s(query.times_s), sampling_period_s(target.times_s))
        pieces = list(merged_segments(pieces, gap_s=_GAP_PERIODS * period_s))
    return tuple(within(piece, query.length_s, target.length_s) for piece in pieces)


def _segments_from(
    matrix: Float32Array, times: tuple[Float64Array, Float64Array], finder: PathFinder, threshold: float
) -> tuple[Segment, ...]:
    return matched_segments(matrix, *times, threshold=threshold, finder=finder)
