"""A query service that answers from memory, and the pages run by Streamlit's own test harness."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dns_apps.service.client_errors import problem_error
from dns_apps.service.schemas import (
    Comparison,
    DuplicateGroups,
    IndexState,
    IndexVersion,
    Job,
    Label,
    MatchRow,
    Page,
    Problem,
    QuarantineRow,
    Query,
    QueryAnswer,
    QueryOptions,
    QuerySummary,
    Readiness,
    Segment,
    StoredExcerpt,
    Video,
    VideoRow,
    VideosAsked,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
EVIL = "<img src=x onerror=alert(1)>.mp4"
SEGMENT = Segment(query_start_s=1, query_end_s=5, target_start_s=20, target_end_s=24, score=0.7)
MATCHES = (
    MatchRow(rank=1, video_id="archive/one.mp4", score=0.91, stage="fine", segments=(SEGMENT,)),
    MatchRow(rank=2, video_id=EVIL, score=0.4, stage="coarse", label="not_a_copy"),
)


def made_query(state: str = "done", **changes: Any) -> Query:
    answer = QueryAnswer(
        matches=MATCHES, coverage=0.99, n_videos=88, index_version=3, timing_ms={"total": 512.0}
    )
    query = Query(
        id="0123", name="holiday.mp4", source=None, options=QueryOptions(threshold=0.2), state="done",
        progress=1.0, created_at=NOW, duration_s=10.0, answer=answer,
    )  # fmt: skip
    if state != "done":
        query = query.model_copy(update={"state": state, "answer": None, "progress": 0.4})
    return query.model_copy(update=changes)


def page_of(items: tuple[Any, ...], limit: int = 50, offset: int = 0) -> Page[Any]:
    return Page(items=items[offset : offset + limit], total=len(items), limit=limit, offset=offset)


def made_index() -> IndexState:
    versions = tuple(
        IndexVersion(version=n, n_videos=88, created_at=NOW, served=n == 2, newest=n == 3) for n in (2, 3)
    )
    return IndexState(
        version=2, versions=versions, healthy=True, health="whole", n_videos=88, n_removed=4, n_quarantined=1,
        n_chunks=88, n_frames=3048, n_bytes=30_000_000, bytes_per_video=340_000, coverage=0.99, data="d" * 16,
        models={"coarse": "c" * 16}, loaded_at=NOW,
        quarantine=(QuarantineRow(video_id=EVIL, reason="corrupt", detail="cannot be read"),),
    )  # fmt: skip


def made_comparison(**changes: Any) -> Comparison:
    rows, columns = 4, 6
    made = Comparison(
        score=0.8, raw_score=0.3, query_times_s=tuple(0.5 * n for n in range(rows)),
        target_times_s=tuple(20 + 0.5 * n for n in range(columns)),
        matrix=tuple(tuple((r + c) / 10 for c in range(columns)) for r in range(rows)),
        paths=(((0.0, 20.0), (1.5, 21.5)),), segments=(SEGMENT,),
    )  # fmt: skip
    return made.model_copy(update=changes)


class FakeService:
    """What the client can be asked, answered from memory; ``asked`` keeps what was asked."""

    evil = EVIL
    now = NOW
    made_query = staticmethod(made_query)
    made_comparison = staticmethod(made_comparison)

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.query_found: Query | None = made_query()
        self.index_state = made_index()
        self.failure: Exception | None = None
        self.index_jobs: tuple[Job, ...] = ()
        self.candidate_paths: tuple[str, ...] = ("new/clip.mp4",)
        self.video_rows = tuple(
            VideoRow(id=f"archive/{n:03d}.mp4", duration_s=30, n_frames=60, playable=True) for n in range(120)
        )

    def __call__(self, *_: Any, **__: Any) -> "FakeService":
        return self

    def _note(self, *what: Any) -> None:
        self.asked.append(what)
        if self.failure is not None:
            raise self.failure

    def readiness(self) -> Readiness:
        self._note("readiness")
        return Readiness(ready=True, detail="")

    def index(self) -> IndexState:
        self._note("index")
        return self.index_state

    def reload_index(self) -> IndexState:
        self._note("reload")
        return self.index_state

    def listed_videos(self, asked: VideosAsked) -> Page[VideoRow]:
        self.listed = asked
        return self.videos(asked.search, limit=asked.limit, offset=asked.offset)

    def videos(self, search: str = "", *, limit: int = 50, offset: int = 0) -> Page[VideoRow]:
        self._note("videos", search, limit, offset)
        return page_of(tuple(row for row in self.video_rows if search in row.id), limit, offset)

    def groups(self, *, limit: int = 50, offset: int = 0) -> DuplicateGroups:
        self._note("groups", limit, offset)
        found = (("a.mp4", EVIL),)
        return DuplicateGroups(progress=1.0, similarity=0.8, groups=found[offset:], total=1, n_videos=2)

    def candidates(self, search: str = "", *, limit: int = 50, offset: int = 0) -> Page[str]:
        self._note("candidates", search, limit, offset)
        return page_of(self.candidate_paths, limit, offset)

    def add_videos(self, video_ids: list[str]) -> Job:
        self._note("add", *video_ids)
        return Job(id="job", state="running", progress=0.0)

    def jobs(self, *, limit: int = 50, offset: int = 0) -> Page[Job]:
        self._note("jobs", limit, offset)
        return page_of(self.index_jobs, limit, offset)

    def job(self, job_id: str) -> Job:
        self._note("job", job_id)
        return next(job for job in self.index_jobs if job.id == job_id)

    def remove_video(self, video_id: str) -> IndexState:
        self._note("remove", video_id)
        return self.index_state

    def video(self, video_id: str) -> Video:
        self._note("video", video_id)
        return Video(id=video_id, duration_s=60, n_frames=120, playable=True)

    def thumbnail(self, video_id: str, at_s: float = 0.0, *, width_px: int = 320) -> bytes:
        self._note("thumbnail", video_id, at_s, width_px)
        raise problem_error(Problem(title="No file", status=404, detail="no file"))

    query_thumbnail = thumbnail

    def preview(self, video_id: str, start_s: float, stop_s: float) -> bytes:
        self._note("preview", video_id, start_s, stop_s)
        return b"mp4"

    query_preview = preview

    def queries(self, *, limit: int = 50, offset: int = 0) -> Page[QuerySummary]:
        self._note("queries", limit, offset)
        return page_of((QuerySummary(id="0123", name=EVIL, state="done", progress=1, created_at=NOW),))

    def query(self, query_id: str) -> Query:
        self._note("query", query_id)
        if self.query_found is None:
            raise problem_error(Problem(title="Not found", status=404, detail=f"no query {query_id}"))
        return self.query_found

    def query_video(
        self, video: StoredExcerpt, options: QueryOptions, *, wait_s: float | None = None
    ) -> Query:
        self._note("query_video", video, options, wait_s)
        return made_query()

    def delete_query(self, query_id: str) -> None:
        self._note("delete_query", query_id)

    def match(self, query_id: str, video_id: str, *, max_side: int = 256) -> Comparison:
        self._note("match", query_id, video_id, max_side)
        return made_comparison()

    def labels(self, query_id: str = "", *, limit: int = 50, offset: int = 0) -> Page[Label]:
        self._note("labels", query_id, limit, offset)
        return page_of(())

    def query_again(self, query_id: str, options: QueryOptions, *, wait_s: float | None = None) -> Query:
        self._note("query_again", query_id, options, wait_s)
        return made_query()

    def put_title(self, query_id: str, title: str) -> Query:
        self._note("put_title", query_id, title)
        return made_query()

    def put_label(self, query_id: str, video_id: str, verdict: str | None, *, labelled_by: str = "") -> None:
        self.labelled_by = labelled_by
        self._note("put_label", query_id, video_id, verdict)


@pytest.fixture(autouse=True)
def workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """An empty folder, a query service that does not answer, and nothing remembered of earlier tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DNS_SERVICE_URL", "http://127.0.0.1:9")
    for cache in (st.cache_data, st.cache_resource):
        cache.clear()
    yield tmp_path
    for cache in (st.cache_data, st.cache_resource):
        cache.clear()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    """The service that the pages ask."""
    service = FakeService()
    monkeypatch.setattr("dashboards.data.service.Client", service)
    return service


@pytest.fixture
def opened() -> Callable[..., AppTest]:
    """Runs one page, as its address says, and returns what it shows."""

    def run(name: str, **address: str) -> AppTest:
        script = (
            "from dashboards.navigation import PAGES, shown\n"
            f"shown(next(entry for entry in PAGES if entry.name == {name!r}))\n"
        )
        app = AppTest.from_string(script, default_timeout=30)
        for key, value in address.items():
            app.query_params[key] = value
        return app.run()

    return run


@pytest.fixture
def texts() -> Callable[[AppTest], str]:
    """Everything that a person reads on a page."""
    kinds = ("title", "subheader", "markdown", "text", "caption")

    def read(app: AppTest) -> str:
        assert not app.exception
        shown = (element for kind in kinds for element in app.get(kind))
        return "\n".join(str(getattr(element, "value", "")) for element in shown)

    return read
