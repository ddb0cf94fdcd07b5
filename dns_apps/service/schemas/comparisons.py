"""Comparing two videos frame by frame."""

from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from dns_apps.service.schemas.fields import MAX_MATRIX_SIDE, Answered, Asked, FineName
from dns_apps.service.schemas.queries import Segment, StoredExcerpt


class Side(Asked):
    """One side of a comparison: a stretch of a stored video, or the video of an earlier query."""

    video: StoredExcerpt | None = None
    query_id: Annotated[str | None, Field(max_length=64)] = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.video is None) == (self.query_id is None):
            raise ValueError("expected video or query_id, one of the two")
        return self


class CompareRequest(Asked):
    """Two videos to compare frame by frame."""

    a: Side
    b: Side
    fine: FineName = "fine_binary"
    max_side: Annotated[int, Field(ge=8, le=MAX_MATRIX_SIDE)] = 256

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "a": {"video": {"video_id": "archive-022.mp4"}},
                    "b": {"video": {"video_id": "archive-049.mp4", "start_s": 0, "stop_s": 10}},
                }
            ]
        }
    )


class Comparison(Answered):
    """How alike two videos are, and where; ``query`` is the first, ``target`` the second.

    Attributes:
        score: calibrated: the same as in a ranked list, where the pair is compared finely.
        raw_score: in [-1, 1].
        query_times_s: ``[Tq]`` time of each row of the matrix.
        target_times_s: ``[Tt]`` time of each column.
        matrix: ``[Tq][Tt]`` similarity of frames in [-1, 1]; of long videos the highest of each block.
        paths: alignments, best first, each a list of (query time, target time) in seconds.
        segments: stretches that match.
    """

    score: float
    raw_score: float
    query_times_s: tuple[float, ...]
    target_times_s: tuple[float, ...]
    matrix: tuple[tuple[float, ...], ...]
    paths: tuple[tuple[tuple[float, float], ...], ...]
    segments: tuple[Segment, ...]
