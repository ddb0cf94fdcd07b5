"""The moment of a video that a picture shows, looked up in the file of the video.

An index holds a frame or two a second, and what it keeps of two frames of a calm shot is nearly the same.
Where the file of a found video is at hand, frames around its likeliest moments are decoded closer together,
and the picture is laid over them (`dns_core.video.registration`).
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dns_core.decoding.decoders import Decoders
from dns_core.errors import VideoError
from dns_core.records import Float32Array, Float64Array, Match, PictureMatch, QueryResult
from dns_core.video.decode import Sampling
from dns_core.video.folders import VideoFolders
from dns_core.video.probe import StreamFacts
from dns_core.video.registration import place

_log = logging.getLogger(__name__)

_SIDE_PX = 160
_SAMPLING = Sampling(fps=5.0, resize_px=None, crop_px=_SIDE_PX)
_N_VIDEOS = 5
_N_FIRST = 8
_AROUND_S = 0.6
# One that fits less well is drawn over, mirrored or of another take: moment and score of the index stay. Of
# 789 other videos among the five likeliest of 200 screenshots, those of other footage stay below .78.
_LEAST_CORRELATION = 0.8
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Moments:
    """Finds the moment of a picture in the files of videos.

    Attributes:
        picture: the file that is searched with.
        folders: where the files of indexed videos are; a video without a file keeps its moment.
        decoders: read them.
    """

    picture: Path
    folders: VideoFolders
    decoders: Decoders

    def refined(self, found: QueryResult) -> QueryResult:
        """The answers to the picture, the first of them with the moment that fits it best.

        Args:
            found: as `search_picture` returns.

        Raises:
            VideoError: the picture cannot be decoded any more.
        """
        files = {
            match: file
            for match in found.results[:_N_VIDEOS]
            if isinstance(match, PictureMatch)
            and match.score > 0
            and (file := self.folders.find(match.video_id))
        }
        if not files:
            return found
        shown = next(self._chunks(self.picture, 0.0, None))
        moved = {match.video_id: self._moved(match, file, shown) for match, file in files.items()}
        results = [moved.get(match.video_id, match) for match in found.results]
        results.sort(key=lambda match: -match.score)  # stable: those without a score stay in order
        return replace(found, results=tuple(results))

    def _moved(self, match: PictureMatch, file: Path, shown: "_Luma") -> Match:
        try:
            parts = [part for span in _spans(match.moments_s) for part in self._chunks(file, *span)]
        except VideoError as error:
            _log.warning("the moment of %s is that of its index: %s", match.video_id, error)
            return match
        best = _best(shown, parts, match.moments_s[:_N_FIRST]) if parts else None
        if best is None or best.correlation < _LEAST_CORRELATION:
            return match
        (segment,) = match.segments
        moment = replace(segment, target_start_s=best.time_s, target_end_s=best.time_s + 1 / _SAMPLING.fps)
        return replace(match, score=_score(match.score, best.correlation), segments=(moment,))

    def _chunks(self, path: Path, start_s: float, stop_s: float | None) -> Iterator["_Luma"]:
        ratio = 1.0
        with closing(self.decoders.frames(path, _SAMPLING, start_s, stop_s)) as parts:
            for part in parts:
                if isinstance(part, StreamFacts):
                    ratio = part.width_px / part.height_px
                else:
                    yield _Luma(part.times_s, part.frames.astype(np.float32) @ _LUMA, ratio)


@dataclass(frozen=True, slots=True)
class _Luma:
    """Whole frames ``[N, S, S]``, squashed to squares; their times, and width to height as they are seen."""

    times_s: Float64Array
    frames: Float32Array
    ratio: float


@dataclass(frozen=True, slots=True)
class _Moment:
    """When a frame is seen, and how well the picture fits it."""

    time_s: float
    correlation: float


def _best(shown: _Luma, parts: Sequence[_Luma], likely_s: Sequence[float]) -> _Moment | None:
    times_s = np.concatenate([part.times_s for part in parts])
    frames = np.concatenate([part.frames for part in parts])
    likely = sorted({int(np.abs(times_s - time_s).argmin()) for time_s in likely_s})
    found = place(shown.frames[0], frames, ratio=shown.ratio / parts[0].ratio, likely=likely)
    return _Moment(float(times_s[found.frame]), found.correlation) if found else None


def _score(score: float, correlation: float) -> float:
    """Between the score of the index and 1, by how well the picture fits; never less than the former."""
    fit = (correlation - _LEAST_CORRELATION) / (1.0 - _LEAST_CORRELATION)
    return max(score, (score + fit) / 2)


def _spans(times_s: Sequence[float]) -> list[tuple[float, float]]:
    """Start and end of what lies around some times; what overlaps is one."""
    spans: list[tuple[float, float]] = []
    for time_s in sorted(times_s):
        start_s, stop_s = max(0.0, time_s - _AROUND_S), time_s + _AROUND_S
        if spans and start_s <= spans[-1][1]:
            start_s = spans.pop()[0]
        spans.append((start_s, stop_s))
    return spans
