"""A typed client of the query service, without torch and without FastAPI.

Example:
    with Client("http://127.0.0.1:8400") as service:
        query = service.query_file(Path("clip.mp4"), QueryOptions(budget="0.3"))
        for match in query.answer.matches if query.answer else ():
            print(match.score, match.video_id)
"""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from dns_apps.service.client_errors import ServiceUnreachableError, problem_error
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
    Problem,
    Query,
    QueryOptions,
    QuerySummary,
    Readiness,
    StoredExcerpt,
    StoredQuery,
    TimeRange,
    Verdict,
    Video,
    VideoRow,
)

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
_POLL_S = 0.25


class Client:
    """Asks one query service.

    Every method raises an error of `dns_apps.service.client_errors` if it is not given what it asks for.

    Args:
        url: of the service, for example ``http://127.0.0.1:8400``.
        token: if the service asks for one.
        timeout_s: for an answer to begin; uploads and waiting have their own time besides.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout_s: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s
        # No proxy of the environment: the service is on this machine or named by its own address.
        self._http = httpx.Client(base_url=self.url, headers=headers, timeout=timeout_s, trust_env=False)

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
            "POST", "/v1/queries", json=body.model_dump(), headers=_preference(wait_s), patience_s=wait_s
        )
        return _read(reply, Query)

    def queries(self, *, limit: int = 50, offset: int = 0) -> Page[QuerySummary]:
        """Recent queries, the newest first."""
        return self._page("/v1/queries", QuerySummary, limit=limit, offset=offset)

    def query(self, query_id: str) -> Query:
        """A query as it stands now."""
        return _read(self._ask("GET", f"/v1/queries/{_quoted(query_id)}"), Query)

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
        self._ask("DELETE", f"/v1/queries/{_quoted(query_id)}")

    def match(self, query_id: str, video_id: str, *, max_side: int = 256) -> Comparison:
        """How the query's video and a stored one are alike, frame by frame.

        Args:
            query_id: of a query that is done.
            video_id: any video of the index.
            max_side: rows and columns of the matrix at most.
        """
        path = f"/v1/queries/{_quoted(query_id)}/matches/{_quoted(video_id)}"
        return _read(self._ask("GET", path, params={"max_side": max_side}), Comparison)

    def query_thumbnail(self, query_id: str, at_s: float = 0.0, *, width_px: int = 320) -> bytes:
        """A JPEG of the query's video at a time."""
        return self._picture(f"/v1/queries/{_quoted(query_id)}/thumbnail", at_s, width_px)

    def query_preview(self, query_id: str, start_s: float, stop_s: float) -> bytes:
        """An MP4 (H.264, silent) of a stretch of the query's video, for a browser."""
        return self._clip(f"/v1/queries/{_quoted(query_id)}/preview", start_s, stop_s)

    def compare(self, request: CompareRequest) -> Comparison:
        """Two videos that the service has, compared frame by frame."""
        return _read(self._ask("POST", "/v1/compare", json=request.model_dump()), Comparison)

    def videos(self, search: str = "", *, limit: int = 50, offset: int = 0) -> Page[VideoRow]:
        """Videos of the index whose id contains ``search``, by id."""
        return self._page("/v1/videos", VideoRow, search=search, limit=limit, offset=offset)

    def video(self, video_id: str) -> Video:
        """A video of the index and what its file says."""
        return _read(self._ask("GET", f"/v1/videos/{_quoted(video_id)}"), Video)

    def thumbnail(self, video_id: str, at_s: float = 0.0, *, width_px: int = 320) -> bytes:
        """A JPEG of a stored video at a time."""
        return self._picture(f"/v1/thumbnails/{_quoted(video_id)}", at_s, width_px)

    def preview(self, video_id: str, start_s: float, stop_s: float) -> bytes:
        """An MP4 (H.264, silent) of a stretch of a stored video, for a browser."""
        return self._clip(f"/v1/previews/{_quoted(video_id)}", start_s, stop_s)

    def put_label(self, query_id: str, video_id: str, verdict: Verdict | None) -> None:
        """Keep a person's verdict; None takes it back."""
        body = LabelRequest(query_id=query_id, video_id=video_id, verdict=verdict)
        self._ask("PUT", "/v1/labels", json=body.model_dump())

    def labels(self, query_id: str = "", *, limit: int = 50, offset: int = 0) -> Page[Label]:
        """Labels, the newest first; of one query if it is named."""
        return self._page("/v1/labels", Label, query_id=query_id, limit=limit, offset=offset)

    def exported_labels(self, form: Literal["json", "csv"]) -> bytes:
        """All labels as ground truth of this project (JSON), or as a table (CSV)."""
        return self._ask("GET", "/v1/labels/export", params={"form": form}).content

    def index(self) -> IndexState:
        """What the served index holds and what made it."""
        return _read(self._ask("GET", "/v1/index"), IndexState)

    def reload_index(self) -> IndexState:
        """The newest version of the index is served; requests under way end with the old one."""
        return _read(self._ask("POST", "/v1/index/reload"), IndexState)

    def groups(self, *, limit: int = 50, offset: int = 0) -> DuplicateGroups:
        """Near-duplicates among the videos of the index, as far as they are known yet."""
        params = {"limit": limit, "offset": offset}
        return _read(self._ask("GET", "/v1/index/groups", params=params), DuplicateGroups)

    def candidates(self, search: str = "", *, limit: int = 50, offset: int = 0) -> Page[str]:
        """Files of the video folders that the index does not hold, by path."""
        params = {"search": search, "limit": limit, "offset": offset}
        return _valid(TypeAdapter(Page[str]), self._ask("GET", "/v1/index/candidates", params=params))

    def add_videos(self, video_ids: Sequence[str]) -> Job:
        """Work has begun that adds files of the video folders to the index and then serves it."""
        body = AddRequest(video_ids=tuple(video_ids))
        return _read(self._ask("POST", "/v1/index/videos", json=body.model_dump()), Job)

    def job(self, job_id: str) -> Job:
        """How far work on the index has come."""
        return _read(self._ask("GET", f"/v1/index/jobs/{_quoted(job_id)}"), Job)

    def jobs(self, *, limit: int = 50, offset: int = 0) -> Page[Job]:
        """Work on the index, the newest first."""
        return self._page("/v1/index/jobs", Job, limit=limit, offset=offset)

    def remove_video(self, video_id: str) -> IndexState:
        """The index no longer holds the video; its file stays."""
        return _read(self._ask("DELETE", f"/v1/index/videos/{_quoted(video_id)}"), IndexState)

    def readiness(self) -> Readiness:
        """Whether queries can be answered; a service that cannot says why.

        Raises:
            ServiceUnreachableError: nothing answers.
        """
        reply = self._send("GET", "/readyz")
        if reply.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            return Readiness(ready=False, detail=_problem(reply).detail)
        return _read(_checked(reply), Readiness)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _upload(self, file: BinaryIO, name: str, form: dict[str, str], wait_s: float | None) -> Query:
        reply = self._ask(
            "POST", "/v1/queries", data=form, files={"video": (name, file, "application/octet-stream")},
            headers=_preference(wait_s), patience_s=wait_s,
        )  # fmt: skip
        return _read(reply, Query)

    def _picture(self, path: str, at_s: float, width_px: int) -> bytes:
        return self._ask("GET", path, params={"at_s": at_s, "width_px": width_px}).content

    def _clip(self, path: str, start_s: float, stop_s: float) -> bytes:
        return self._ask("GET", path, params={"start_s": start_s, "stop_s": stop_s}).content

    def _page(self, path: str, kind: type[M], **params: Any) -> Page[M]:
        return _valid(TypeAdapter(Page[kind]), self._ask("GET", path, params=params))  # type: ignore[valid-type]

    def _ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        return _checked(self._send(method, path, **parts))

    def _send(
        self, method: str, path: str, *, patience_s: float | None = None, **parts: Any
    ) -> httpx.Response:
        timeout = httpx.Timeout(self._timeout_s, read=self._timeout_s + (patience_s or 0.0))
        try:
            return self._http.request(method, path, timeout=timeout, **parts)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            found = str(error) or type(error).__name__
            raise ServiceUnreachableError(f"{self.url}: no answer from the query service: {found}") from error


def _quoted(part: str) -> str:
    return quote(part, safe="/")


def _preference(wait_s: float | None) -> Mapping[str, str]:
    """RFC 7240: how long the service shall wait before it answers that the work continues."""
    return {} if wait_s is None else {"Prefer": f"wait={max(0, round(wait_s))}"}


def _checked(reply: httpx.Response) -> httpx.Response:
    if reply.is_success:
        return reply
    after = reply.headers.get("Retry-After", "")
    raise problem_error(_problem(reply), float(after) if after.isdecimal() else 0.0)


def _problem(reply: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(reply.content)
    except ValidationError:
        raise ServiceUnreachableError(
            f"{reply.url.copy_with(query=None)}: expected a query service, found status {reply.status_code}"
        ) from None


def _read(reply: httpx.Response, kind: type[M]) -> M:
    return _valid(TypeAdapter(kind), reply)


def _valid(adapter: TypeAdapter[T], reply: httpx.Response) -> T:
    try:
        return adapter.validate_json(reply.content)
    except ValidationError as error:
        raise ServiceUnreachableError(
            f"{reply.url.copy_with(query=None)}: expected the reply of a query service, found another: "
            f"{error.error_count()} fields do not fit"
        ) from error
