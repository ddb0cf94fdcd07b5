"""Frozen facts that cross the borders between packages (numpy only, no torch)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
UInt8Array = npt.NDArray[np.uint8]
UInt16Array = npt.NDArray[np.uint16]
UInt64Array = npt.NDArray[np.uint64]
UInt32Array = npt.NDArray[np.uint32]
Int64Array = npt.NDArray[np.int64]

VIDEO_SUFFIXES = frozenset((
    ".3gp", ".apng", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".gif", ".h264",
    ".hevc", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts",
    ".mxf", ".ogm", ".ogv", ".rm", ".rmvb", ".ts", ".vob", ".webm", ".wmv", ".y4m",
))  # fmt: skip
"""Names by which a folder passes for a video."""
# Why a file is in quarantine, where its content says that it is a video.
_VIDEO_REASONS = frozenset({"corrupt", "no_frames", "encrypted", "too_large"})

Precision = Literal["fp32", "bf16"]
"""``bf16``: convolutions and matrix products may round to bfloat16; weights stay in single precision."""

ResultStage = Literal["coarse", "fine"]
ScoringRule = Literal["corrected", "reference"]
"""Ours, or the published code's with its departures from the paper."""


@dataclass(frozen=True, slots=True)
class VideoProbe:
    """What a container says of its first video stream.

    Attributes:
        video_id: path relative to the folder the video was found in, with ``/`` separators.
        duration_s: seconds; from the container, or counted by decoding if it does not say.
        fps: average frames a second; 0 if unknown (a single image).
        width_px: width as displayed, after rotation.
        height_px: height as displayed, after rotation.
        codec: FFmpeg's short name, for example ``h264``.
        rotation_deg: clockwise turn that the container asks the player for: 0, 90, 180 or 270.
        n_bytes: size of the file.
        sha256: hex digest of the file's content.
    """

    video_id: str
    duration_s: float
    fps: float
    width_px: int
    height_px: int
    codec: str
    rotation_deg: int
    n_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A video that could not be used, and why. Absence is data: it is kept, counted and shown.

    ``sha256`` is the digest of the content that was refused; empty if it is not known.
    """

    video_id: str
    reason: str
    detail: str
    sha256: str = ""

    @property
    def is_video(self) -> bool:
        """Whether its name or its content says that it is a video: subtitles beside a film are not missed."""
        suffix = PurePosixPath(self.video_id).suffix.lower()
        return suffix in VIDEO_SUFFIXES or self.reason in _VIDEO_REASONS


@dataclass(frozen=True, slots=True)
class VideoFeatures:
    """Region descriptors of one video.

    Attributes:
        video_id: as in `VideoProbe`.
        regions: ``[T, R, D]`` float32, unit length along D (a zero row: a region with no content).
        times_s: ``[T]`` float64, presentation time of each sampled frame, increasing within a pane; see
            `pane_spans`.
        length_s: seconds that the video lasts, where no segment may end later; None if not known.
    """

    video_id: str
    regions: Float32Array
    times_s: Float64Array
    length_s: float | None = None

    @property
    def n_frames(self) -> int:
        """T, the number of sampled frames."""
        return int(self.regions.shape[0])

    @property
    def whole(self) -> "VideoFeatures":
        """The first pane alone: whole pictures, without the windows in them."""
        panes = pane_spans(self.times_s)
        if len(panes) < 2:
            return self
        stop = panes[0, 1]
        return replace(self, regions=self.regions[:stop], times_s=self.times_s[:stop])

    def window(self, start: int, stop: int) -> "VideoFeatures":
        """Frames ``start`` to ``stop`` (exclusive) of the same video."""
        return VideoFeatures(self.video_id, self.regions[start:stop], self.times_s[start:stop])


def pane_spans(times_s: Float64Array) -> Int64Array:
    """``[P, 2]``: the frames ``start`` to ``stop`` (exclusive) of each pane of a video.

    The first pane shows the whole picture; others show windows in it (`dns_core.features.windows`), for as
    long as they are there. Times increase within a pane, and a new one begins where they do not.

    Args:
        times_s: ``[T]`` presentation time of each frame, pane after pane.

    Example:
        >>> pane_spans(np.array([0.0, 0.5, 1.0, 0.5, 1.0])).tolist()
        [[0, 3], [3, 5]]
    """
    starts = np.flatnonzero(np.diff(times_s, prepend=np.inf) <= 0)
    return np.stack([starts, np.append(starts, len(times_s))[1:]], axis=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the query and the stretch of the target that shows the same, in seconds.

    ``score`` is the mean frame-frame similarity along the alignment path, in [-1, 1].
    """

    query_start_s: float
    query_end_s: float
    target_start_s: float
    target_end_s: float
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """One row of a ranked list: ``score`` is calibrated to [0, 1], higher is closer."""

    video_id: str
    score: float
    stage: ResultStage
    segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, slots=True)
class PictureMatch(Match):
    """A video that shows a picture; ``moments_s`` are the times most like it, the likeliest first."""

    moments_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The answer to one query: matches by falling score, ties by video id.

    Attributes:
        query: id or path of the query video.
        results: ranked matches.
        coverage: share in [0, 1] of the indexed corpus that could be compared
            (1 minus the share of quarantined videos, and of those in missing shards).
        timing_ms: milliseconds by step (``decode``, ``features``, ``coarse``, ``select``, ``fine``,
            ``localise``, ``total``).
        missing_shards: names of the shards that could not be searched.
    """

    query: str
    results: tuple[Match, ...]
    coverage: float
    timing_ms: Mapping[str, float] = field(default_factory=dict)
    missing_shards: tuple[str, ...] = ()


NEUTRAL = "neutral"
"""Label of a video that counts neither as right nor as wrong, such as the same footage published twice."""


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """What is right for a set of queries.

    Attributes:
        queries: ids of the queries, sorted.
        database: ids of the videos searched, sorted.
        labels: ``labels[query][video]`` is the relation of the two, in FIVR's terms: ``ND``
            near-duplicate, ``DS`` duplicate scene, ``CS`` complementary scene, ``IS`` incident.
            A pair that is not listed is not related.
        tasks: ``tasks[name]`` lists the labels that count as positive, for example
            ``{"DSVR": ("ND", "DS")}``.
        segments: ``segments[query][video]`` lists matched stretches (their score is 1).
    """

    queries: tuple[str, ...]
    database: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]]
    tasks: Mapping[str, tuple[str, ...]]
    segments: Mapping[str, Mapping[str, tuple[Segment, ...]]] = field(default_factory=dict)

    def only(self, queries: Collection[str]) -> "GroundTruth":
        """The same truth for some of the queries."""
        kept = tuple(query for query in self.queries if query in set(queries))
        return replace(
            self,
            queries=kept,
            labels={query: self.labels[query] for query in kept if query in self.labels},
            segments={query: self.segments[query] for query in kept if query in self.segments},
        )

    def positives(self, task: str) -> dict[str, frozenset[str]]:
        """Videos that count as positive for each query in ``task``; raises KeyError if unknown."""
        wanted = set(self.tasks[task])
        return {
            query: frozenset(v for v, label in self.labels.get(query, {}).items() if label in wanted)
            for query in self.queries
        }


@dataclass(frozen=True, slots=True)
class FactTable:
    """What was measured of a part of the data, to be judged against limits.

    Attributes:
        suite: name of the expectations that it must meet, for example ``corpus``.
        part: which data, for example ``train``.
        columns: values by name, all of one length.
        key: columns that name a row to a person.
        limits: as in ``params.yaml``, for the expectations.
    """

    suite: str
    part: str
    columns: Mapping[str, Sequence[object]]
    key: tuple[str, ...]
    limits: Mapping[str, object]
