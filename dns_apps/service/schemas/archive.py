"""The videos of the index, what people said of them, and the index itself."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from dns_apps.service.schemas.fields import Answered, Asked, Problem, Seconds, State, Verdict, VideoId


class VideoRow(Answered):
    """A video of the index.

    Attributes:
        n_frames: that the index holds.
        playable: whether its file was found.
        n_bytes: of its file; 0 if it is not known, and so for the sides of its picture.
        version: of the index that wrote the video's part: that which added it, or compacted the index since;
            0 if it is not known.
        similarity: cosine to the video that was asked for in ``similar_to``; None if none was.
    """

    id: str
    duration_s: float
    n_frames: int
    playable: bool
    n_bytes: int = 0
    width_px: int = 0
    height_px: int = 0
    version: int = 0
    similarity: float | None = None


Order = Literal["name", "newest", "longest", "largest"]


class VideosAsked(Asked):
    """Which videos of the index are listed, and in which order.

    Attributes:
        search: part of the id, as it is written.
        shortest_s: least length.
        longest_s: greatest length.
        smallest_px: least height of the picture; a video whose height is not known is left out then.
        smallest_bytes: least size of the file; likewise.
        version: of the index that wrote the video's part.
        similar_to: id of a video of the index; those most alike come first, it itself is left out.
        order: of videos of the same ``similarity``, ties by id.
    """

    search: Annotated[str, Field(max_length=200)] = ""
    shortest_s: Seconds = 0.0
    longest_s: Seconds | None = None
    smallest_px: Annotated[int, Field(ge=0, le=1 << 16)] = 0
    smallest_bytes: Annotated[int, Field(ge=0, le=1 << 50)] = 0
    version: Annotated[int, Field(ge=0, le=1 << 40, description="0 for any.")] = 0
    similar_to: Annotated[str, Field(max_length=4096)] = ""
    order: Order = "name"
    limit: Annotated[int, Field(ge=1, le=500, description="Rows wanted at most.")] = 50
    offset: Annotated[int, Field(ge=0, le=1 << 40, description="Rows to pass over.")] = 0


class Video(VideoRow):
    """A video of the index and what its file says; the figures of the file are 0 if there is none."""

    fps: float = 0.0
    codec: str = ""


class LabelRequest(Asked):
    """Whether a video is a copy of a query's; a verdict of null takes the label back."""

    query_id: Annotated[str, Field(min_length=1, max_length=64)]
    video_id: VideoId
    verdict: Verdict | None
    labelled_by: Annotated[
        str, Field(max_length=200, description="Who says so, as the client names them; may be empty.")
    ] = ""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"query_id": "0123456789abcdef01234567", "video_id": "archive-022.mp4", "verdict": "copy"}
            ]
        }
    )


class Label(Answered):
    """What a person said of a query and a video; it outlives the query.

    ``labelled_by`` is the person as the client named them; empty if it did not.
    """

    query_id: str
    query_name: str
    video_id: str
    verdict: Verdict
    labelled_at: datetime
    labelled_by: str = ""


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
