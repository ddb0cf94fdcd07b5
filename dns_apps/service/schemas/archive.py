"""The videos of the index, what people said of them, and the index itself."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from dns_apps.service.schemas.fields import Answered, Asked, Problem, State, Verdict, VideoId


class VideoRow(Answered):
    """A video of the index; ``playable`` says whether its file was found."""

    id: str
    duration_s: float
    n_frames: int
    playable: bool


class Video(VideoRow):
    """A video of the index and what its file says; the figures of the file are 0 if there is none."""

    n_bytes: int = 0
    width_px: int = 0
    height_px: int = 0
    fps: float = 0.0
    codec: str = ""


class LabelRequest(Asked):
    """Whether a video is a copy of a query's; a verdict of null takes the label back."""

    query_id: Annotated[str, Field(min_length=1, max_length=64)]
    video_id: VideoId
    verdict: Verdict | None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query_id": "0123456789abcdef01234567", "video_id": "archive-022.mp4", "verdict": "copy"}
            ]
        }
    )


class Label(Answered):
    """What a person said of a query and a video; it outlives the query."""

    query_id: str
    query_name: str
    video_id: str
    verdict: Verdict
    labelled_at: datetime


class IndexVersion(Answered):
    """A version of the index on disk; ``served`` answers queries, ``newest`` would after a reload."""

    version: int
    n_videos: int
    created_at: datetime
    served: bool
    newest: bool


class QuarantineRow(Answered):
    """A video of the corpus that is not in the index, and why."""

    video_id: str
    reason: str
    detail: str


class HolderRow(Answered):
    """A machine's part of the index.

    Attributes:
        name: of the holder.
        group: of shards that it holds.
        host: its machine; empty while it does not answer.
        process: its number there; 0 likewise.
        state: whether it answers for the version that is served.
        version: the newest that it answers for; 0 if none.
        lag: versions by which that is behind.
        n_videos: of its group.
        problem: why it holds no more; empty if nothing is known.
    """

    name: str
    group: int
    host: str
    process: int
    state: Literal["ready", "preparing", "lost"]
    version: int
    lag: int
    n_videos: int
    problem: str = ""


class IndexState(Answered):
    """What the served index holds and what made it.

    Attributes:
        version: that answers queries.
        release: that the index belongs to; 0 for an index of no release.
        folder: where it lies, as the workspace names it.
        waiting: why the release in service is not the one that is served; empty if it is.
        versions: on disk, oldest first.
        healthy: the files are whole in size, and the models are those that made it.
        health: a sentence that says so, or what is wrong.
        parts: bytes on disk by part of the index; ``n_bytes`` together.
        models: fingerprint by role of what made it.
        data: fingerprint of its ids and contents.
        quarantine: the first hundred of ``n_quarantined``.
        loaded_at: when it began to answer.
        holders: machines that search it; empty where the service does.
    """

    version: int
    release: int = 0
    folder: str = ""
    waiting: str = ""
    versions: tuple[IndexVersion, ...]
    healthy: bool
    health: str
    n_videos: int
    n_removed: int
    n_quarantined: int
    n_chunks: int
    n_frames: int
    n_bytes: int
    bytes_per_video: float
    parts: dict[str, int] = Field(default_factory=dict)
    coverage: float
    data: str
    models: dict[str, str]
    quarantine: tuple[QuarantineRow, ...]
    loaded_at: datetime
    holders: tuple[HolderRow, ...] = ()


class AddRequest(Asked):
    """Files of the video folders that the index shall hold too, by their paths in those folders."""

    video_ids: Annotated[tuple[VideoId, ...], Field(min_length=1, max_length=10_000)]

    model_config = ConfigDict(json_schema_extra={"examples": [{"video_ids": ["new/clip.mp4"]}]})


class Job(Answered):
    """Work on the index and how far it has come.

    Attributes:
        progress: in [0, 1].
        messages: the last lines of the work, for example which file was quarantined and why.
        version: of the index that has the videos, once the state is ``done``; it is served from then on.
        release: that the index belongs to; 0 for an index of no release.
    """

    id: str
    state: State
    progress: float
    messages: tuple[str, ...] = ()
    version: int = 0
    release: int = 0
    problem: Problem | None = None


class DuplicateGroups(Answered):
    """Near-duplicates among the videos of the index.

    Attributes:
        progress: share in [0, 1] of the comparison that is done; groups are known once it is 1.
        similarity: of coarse vectors, from which two videos count as alike.
        groups: ids of each, the largest group first; those from ``offset`` on, at most ``limit``.
        total: groups there are.
        n_videos: that are in one of them.
    """

    progress: float
    similarity: float
    groups: tuple[tuple[str, ...], ...]
    total: int
    n_videos: int


class Readiness(Answered):
    """Whether queries can be answered now.

    Attributes:
        ready: queries are answered.
        detail: what is served, and what is not done at present.
        limited: the disk is full: queries are answered, and nothing new is kept.
    """

    ready: bool
    detail: str
    limited: bool = False
