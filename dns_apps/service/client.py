"""A typed client of the query service, without torch and without FastAPI.

Example:
    with Client("http://127.0.0.1:8400") as service:
        query = service.query_file(Path("clip.mp4"), QueryOptions(budget="0.3"))
        for match in query.answer.matches if query.answer else ():
            print(match.score, match.video_id)
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import httpx
from pydantic import TypeAdapter

from dns_apps.service.client_errors import ServiceUnreachableError
from dns_apps.service.client_transport import Transport, checked, preference, problem, quoted, read, valid
from dns_apps.service.schemas import (
    AddRequest,
    CompareRequest,
    Comparison,
    DuplicateGroups,
    IndexState,
    Job,
    Label,
    LabelRequest,
    Page,
    Query,
    QueryOptions,
    QuerySummary,
    Readiness,
    StoredExcerpt,
    StoredQuery,
    TimeRange,
    TitleRequest,
    Verdict,
    Video,
    VideoRow,
    VideosAsked,
)

_POLL_S = 0.25


class Client(Transport):
    """Asks one query service.

    Every method raises an error of `dns_apps.service.client_errors` if it is not given what it asks for.

    Args:
        url: of the service, for example ``http://127.0.0.1:8400``.
        token: if the service asks for one.
        timeout_s: for an answer to begin; uploads and waiting have their own time besides.
    """

    def query_file(
        self,
        video: Path | BinaryIO,
        options: QueryOptions | None = None,
        *,
        name: str = "",
        part: TimeRange | None = None,
        wait_s: float | None = None,
    ) -> Query:
        """A query by upload: answered if that takes no longer than ``wait_s``, else on its way.

        Args:
            video: a file, or its open content.
            options: how to search.
            name: shown in lists; the file's own name if empty.
            part: of the video that is searched with; the whole if None.
            wait_s: 0 comes back at once, up to 60; the service's own patience (10 s) if None.
        """
        given = (options or QueryOptions()).model_dump() | (part or TimeRange()).model_dump(exclude_none=True)
        form = {field: str(value) for field, value in given.items()}
        if isinstance(video, Path):
            with video.open("rb") as file:
                return self._upload(file, name or video.name, form, wait_s)
        return self._upload(video, name or "upload", form, wait_s)

    def query_video(
        self, video: StoredExcerpt, options: QueryOptions | None = None, *, wait_s: float | None = None
    ) -> Query:
        """A query by a stretch of a stored video; as `query_file`."""
        body = StoredQuery(video=video, options=options or QueryOptions())
        reply = self._ask(
            "POST", "/v1/queries", json=body.model_dump(), headers=preference(wait_s), patience_s=wait_s
        )
        return read(reply, Query)

    def query_again(self, query_id: str, options: QueryOptions, *, wait_s: float | None = None) -> Query:
        """A query by the video of another one, which is not sent again; as `query_file`."""
        reply = self._ask(
            "POST", f"/v1/queries/{quoted(query_id)}/again", json=options.model_dump(),
            headers=preference(wait_s), patience_s=wait_s,
        )  # fmt: skip
        return read(reply, Query)

    def put_title(self, query_id: str, title: str) -> Query:
        """The query is kept under a name; an empty one takes the name back."""
        body = TitleRequest(title=title)
        return read(self._ask("PATCH", f"/v1/queries/{quoted(query_id)}", json=body.model_dump()), Query)

    def queries(self, *, limit: int = 50, offset: int = 0) -> Page[QuerySummary]:
        """Recent queries, the newest first."""
        return self._page("/v1/queries", QuerySummary, limit=limit, offset=offset)

    def query(self, query_id: str) -> Query:
        """A query as it stands now."""
        return read(self._ask("GET", f"/v1/queries/{quoted(query_id)}"), Query)

    def finished_query(self, query_id: str, *, timeout_s: float = 600.0) -> Query:
        """The query once it is done or failed.

        Raises:
            ServiceUnreachableError: it is neither within ``timeout_s``.
        """
        deadline = time.monotonic() + timeout_s
        while (query := self.query(query_id)).state in ("queued", "running"):
            if time.monotonic() > deadline:
                raise ServiceUnreachableError(f"query {query_id} was not answered in {timeout_s:.0f} s")
            time.sleep(_POLL_S)
        return query

    def delete_query(self, query_id: str) -> None:
        """Stop the query if it runs, and delete it with its video; its labels stay."""
        self._ask("DELETE", f"/v1/queries/{quoted(query_id)}")

    def match(self, query_id: str, video_id: str, *, max_side: int = 256) -> Comparison:
        """How the query's video and a stored one are alike, frame by frame.

        Args:
            query_id: of a query that is done.
            video_id: any video of the index.
            max_side: rows and columns of the matrix at most.
        """
        path = f"/v1/queries/{quoted(query_id)}/matches/{quoted(video_id)}"
        return read(self._ask("GET", path, params={"max_side": max_side}), Comparison)

    def query_thumbnail(self, query_id: str, at_s: float = 0.0, *, width_px: int = 320) -> bytes:
        """A JPEG of the query's video at a time."""
        return self._picture(f"/v1/queries/{quoted(query_id)}/thumbnail", at_s, width_px)

    def query_preview(self, query_id: str, start_s: float, stop_s: float) -> bytes:
        """An MP4 (H.264, silent) of a stretch of the query's video, for a browser."""
        return self._clip(f"/v1/queries/{quoted(query_id)}/preview", start_s, stop_s)

    def compare(self, request: CompareRequest) -> Comparison:
        """Two videos that the service has, compared frame by frame."""
        return read(self._ask("POST", "/v1/compare", json=request.model_dump()), Comparison)

    def videos(self, search: str = "", *, limit: int = 50, offset: int = 0) -> Page[VideoRow]:
        """Videos of the index whose id contains ``search``, by id."""
        return self.listed_videos(VideosAsked(search=search, limit=limit, offset=offset))

    def listed_videos(self, asked: VideosAsked) -> Page[VideoRow]:
        """Videos of the index that pass filters, in an order."""
        return self._page("/v1/videos", VideoRow, **asked.model_dump(exclude_none=True))

    def video(self, video_id: str) -> Video:
        """A video of the index and what its file says."""
        return read(self._ask("GET", f"/v1/videos/{quoted(video_id)}"), Video)

    def thumbnail(self, video_id: str, at_s: float = 0.0, *, width_px: int = 320) -> bytes:
        """A JPEG of a stored video at a time."""
        return self._picture(f"/v1/thumbnails/{quoted(video_id)}", at_s, width_px)

    def preview(self, video_id: str, start_s: float, stop_s: float) -> bytes:
        """An MP4 (H.264, silent) of a stretch of a stored video, for a browser."""
        return self._clip(f"/v1/previews/{quoted(video_id)}", start_s, stop_s)

    def put_label(
        self, query_id: str, video_id: str, verdict: Verdict | None, *, labelled_by: str = ""
    ) -> None:
        """Keep a person's verdict; None takes it back."""
        body = LabelRequest(query_id=query_id, video_id=video_id, verdict=verdict, labelled_by=labelled_by)
        self._ask("PUT", "/v1/labels", json=body.model_dump())

    def labels(self, query_id: str = "", *, limit: int = 50, offset: int = 0) -> Page[Label]:
        """Labels, the newest first; of one query if it is named."""
        return self._page("/v1/labels", Label, query_id=query_id, limit=limit, offset=offset)

    def exported_labels(self, form: Literal["json", "csv"]) -> bytes:
        """All labels as ground truth of this project (JSON), or as a table (CSV)."""
        return self._ask("GET", "/v1/labels/export", params={"form": form}).content

    def index(self) -> IndexState:
        """What the served index holds and what made it."""
        return read(self._ask("GET", "/v1/index"), IndexState)

    def reload_index(self) -> IndexState:
        """The newest version of the index is served; requests under way end with the old one."""
        return read(self._ask("POST", "/v1/index/reload"), IndexState)

    def groups(self, *, limit: int = 50, offset: int = 0) -> DuplicateGroups:
        """Near-duplicates among the videos of the index, as far as they are known yet."""
        params = {"limit": limit, "offset": offset}
        return read(self._ask("GET", "/v1/index/groups", params=params), DuplicateGroups)

    def candidates(self, search: str = "", *, limit: int = 50, offset: int = 0) -> Page[str]:
        """Files of the video folders that the index does not hold, by path."""
        params = {"search": search, "limit": limit, "offset": offset}
        return valid(TypeAdapter(Page[str]), self._ask("GET", "/v1/index/candidates", params=params))

    def add_videos(self, video_ids: Sequence[str]) -> Job:
        """Work has begun that adds files of the video folders to the index and then serves it."""
        body = AddRequest(video_ids=tuple(video_ids))
        return read(self._ask("POST", "/v1/index/videos", json=body.model_dump()), Job)

    def job(self, job_id: str) -> Job:
        """How far work on the index has come."""
        return read(self._ask("GET", f"/v1/index/jobs/{quoted(job_id)}"), Job)

    def jobs(self, *, limit: int = 50, offset: int = 0) -> Page[Job]:
        """Work on the index, the newest first."""
        return self._page("/v1/index/jobs", Job, limit=limit, offset=offset)

    def remove_video(self, video_id: str) -> IndexState:
        """The index no longer holds the video; its file stays."""
        return read(self._ask("DELETE", f"/v1/index/videos/{quoted(video_id)}"), IndexState)

    def readiness(self) -> Readiness:
        """Whether queries can be answered; a service that cannot says why.

        Raises:
            ServiceUnreachableError: nothing answers.
        """
        reply = self._send("GET", "/readyz")
        if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return Readiness(ready=False, detail=problem(reply).detail)
        return read(checked(reply), Readiness)

    def _upload(self, file: BinaryIO, name: str, form: dict[str, str], wait_s: float | None) -> Query:
        reply = self._ask(
            "POST", "/v1/queries", data=form, files={"video": (name, file, "application/octet-stream")},
            headers=preference(wait_s), patience_s=wait_s,
        )  # fmt: skip
        return read(reply, Query)

    def _picture(self, path: str, at_s: float, width_px: int) -> bytes:
        return self._ask("GET", path, params={"at_s": at_s, "width_px": width_px}).content

    def _clip(self, path: str, start_s: float, stop_s: float) -> bytes:
        return self._ask("GET", path, params={"start_s": start_s, "stop_s": stop_s}).content
