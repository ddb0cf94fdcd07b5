"""Searching the index with a video."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from dns_apps.service.schemas.fields import (
    BUDGET_FORM,
    MAX_TOP_K,
    Answered,
    Asked,
    FineName,
    Problem,
    Seconds,
    State,
    Verdict,
    VideoId,
)


class TimeRange(Asked):
    """The part of a video from ``start_s`` to ``stop_s``; the whole of it if nothing is said."""

    start_s: Seconds = 0.0
    stop_s: Annotated[Seconds | None, Field(description="The end of the video if it is left out.")] = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.stop_s is not None and self.stop_s <= self.start_s:
            raise ValueError("stop_s must be after start_s")
        return self


class StoredExcerpt(TimeRange):
    """A stored video, or the part of it from ``start_s`` to ``stop_s``."""

    video_id: VideoId


class QueryOptions(Asked):
    """How to search.

    Attributes:
        budget: ``0.3`` re-ranks that share of the index, ``50ms`` for so long.
        fine: the student that re-ranks.
        top_k: answers wanted at most.
        threshold: answers with a lower score are left out.
    """

    budget: Annotated[str, Field(pattern=BUDGET_FORM, max_length=32, examples=["0.3", "50ms"])] = "0.3"
    fine: FineName = "fine_binary"
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K)] = 10
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.0


class UploadForm(QueryOptions, TimeRange):
    """What comes with an uploaded video: how to search, and with which part of it."""


class StoredQuery(Asked):
    """A query by a video that the index knows."""

    video: StoredExcerpt
    options: QueryOptions = QueryOptions()

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "video": {"video_id": "archive-022.mp4", "start_s": 5, "stop_s": 15},
                    "options": {"budget": "0.3", "fine": "fine_binary", "top_k": 10, "threshold": 0.2},
                }
            ]
        }
    )


class TitleRequest(Asked):
    """A name under which a search is kept; an empty one takes the name back."""

    title: Annotated[str, Field(max_length=200, examples=["Harbour, raw footage"])]


class Segment(Answered):
    """A stretch of the query and the stretch of the target that shows the same.

    ``score`` is the mean frame-frame similarity along the alignment path, in [-1, 1].
    """

    query_start_s: float
    query_end_s: float
    target_start_s: float
    target_end_s: float
    score: float


Relation = Literal["copy", "excerpt", "contains", "compilation", "overlap", "alike"]


class StoredFile(Answered):
    """What the index knows of a file."""

    duration_s: float
    n_bytes: int
    width_px: int
    height_px: int
    codec: str


class MatchRow(Answered):
    """One video of the ranked answer.

    Attributes:
        relation: of the query to it: a copy, an excerpt of it, a longer video that contains it, a compilation
            of it and of others, one that overlaps it, or one that is merely alike; None if its length is not
            known.
        rate: seconds of it that go by in a second of the query; None without a segment.
        file: what was known of its file when it was indexed; None if nothing was.
        same_file: its file has the content of the query's, byte for byte.
        label: a person's verdict on it, None without one.
    """

    rank: int
    video_id: str
    score: float
    stage: Literal["coarse", "fine"]
    segments: tuple[Segment, ...] = ()
    relation: Relation | None = None
    rate: float | None = None
    file: StoredFile | None = None
    same_file: bool = False
    label: Verdict | None = None


class NearMiss(Answered):
    """The best answer whose score is below the threshold."""

    video_id: str
    score: float


class QueryAnswer(Answered):
    """The ranked answer.

    Attributes:
        matches: by falling score, ties by id; those at or over the threshold.
        near_miss: the best of those below the threshold; None if there is none among ``top_k`` answers.
        coverage: share in [0, 1] of the corpus that could be compared.
        missing_shards: shards of the index that could not be searched; empty if all could.
        n_videos: videos that were searched.
        index_version: the version of the index that was searched.
        timing_ms: milliseconds by step; ``total`` is the whole from the first frame.
    """

    matches: tuple[MatchRow, ...]
    near_miss: NearMiss | None = None
    coverage: float
    missing_shards: tuple[str, ...] = ()
    n_videos: int
    index_version: int
    timing_ms: dict[str, float]


class Query(Answered):
    """A query and how far it has come.

    Attributes:
        id: in the addresses of everything about it.
        name: of the uploaded file, or id of the stored video; to be shown, and to be escaped when it is.
        title: under which it is kept; empty for one that is kept for a while.
        source: the stretch of a stored video; None for an upload.
        part: of an upload.
        options: how it was asked to search.
        progress: in [0, 1].
        duration_s: of the part that was searched with; 0 until it is known.
        answer: once the state is ``done``.
        problem: if the state is ``failed``.
    """

    id: str
    name: str
    title: str = ""
    source: StoredExcerpt | None
    part: TimeRange = TimeRange()
    options: QueryOptions
    state: State
    progress: float
    created_at: datetime
    finished_at: datetime | None = None
    duration_s: float = 0.0
    answer: QueryAnswer | None = None
    problem: Problem | None = None

    @property
    def searched(self) -> TimeRange:
        """The part of the video that is searched with."""
        return self.source or self.part


class QuerySummary(Answered):
    """A row of the list of recent queries; ``best`` and ``best_score`` name the first answer."""

    id: str
    name: str
    title: str = ""
    state: State
    progress: float
    created_at: datetime
    n_matches: int = 0
    best: str = ""
    best_score: float = 0.0
