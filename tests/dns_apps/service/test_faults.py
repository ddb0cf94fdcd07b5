"""A step that raises costs its own query at most: places, files and processes are given back."""

import errno
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dns_apps.service import query_jobs as query_jobs_module
from dns_apps.service.client import Client
from dns_apps.service.client_errors import ServiceError, ServiceFailedError
from dns_apps.service.feature_memory import FeatureMemory
from dns_apps.service.kept import Kept
from dns_apps.service.live_index import LiveIndex, LoadedIndex
from dns_apps.service.query_jobs import QueryJobs
from dns_apps.service.query_runner import QueryRunner
from dns_apps.service.query_store import QueryStore
from dns_apps.service.routes import read_query
from dns_apps.service.schemas import QueryOptions, StoredExcerpt
from dns_core.decoding.decoders import Decoders
from dns_core.decoding.process import DecoderProcess
from dns_core.features.extractor import Extractor
from dns_core.features.whitening import Whitening
from dns_core.retrieval.engine import Engine
from dns_core.video.folders import VideoFolders

HARBOUR = StoredExcerpt(video_id="harbour.mp4")
STEPS: tuple[tuple[Any, str], ...] = (
    (LiveIndex, "current"),
    (LoadedIndex, "row"),
    (LoadedIndex, "engine"),
    (VideoFolders, "find"),
    (read_query, "_keep"),
    (shutil, "copyfileobj"),
    (shutil, "disk_usage"),
    (QueryJobs, "new"),
    (QueryJobs, "submit"),
    (QueryJobs, "file"),
    (QueryJobs, "_described"),
    (QueryJobs, "_finish"),
    (QueryJobs, "_forget"),
    (query_jobs_module, "_Live"),
    (Kept, "put"),
    (Kept, "write"),
    (Kept, "get"),
    (Kept, "superfluous"),
    (QueryStore, "put"),
    (QueryStore, "get"),
    (QueryStore, "verdicts"),
    (QueryStore, "delete"),
    (QueryStore, "superfluous"),
    (Decoders, "frames"),
    (Decoders, "_run"),
    (DecoderProcess, "answers"),
    (DecoderProcess, "_received"),
    (QueryRunner, "features"),
    (QueryRunner, "answer"),
    (Extractor, "frames_to_regions"),
    (Whitening, "apply"),
    (Engine, "search"),
    (FeatureMemory, "put"),
)


def database_full() -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


FAULTS: dict[str, Callable[[], BaseException]] = {
    "full": lambda: OSError(errno.ENOSPC, "No space left on device"),
    "database": database_full,
    "memory": MemoryError,
    "defect": lambda: RuntimeError("an unforeseen defect"),
}


ROUNDS = (("full", 1), ("defect", 2))
"""Which fault a step meets, and in which of its calls; what writes meets the database's too."""
ROUNDS_OF = {QueryStore: (("database", 1), ("full", 2), ("memory", 1)), Kept: (("memory", 1), ("defect", 2))}


@pytest.fixture(scope="module")
def faulty(run: Any, built: Path, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("faulty")
    with run(root, index=str(built), videos=str(videos), max_waiting=2, keep_queries=3) as one:
        yield one


def raising(original: Any, fault: Callable[[], BaseException], at: int) -> Callable[..., Any]:
    """The step, which raises when it is called for the ``at``-th time."""
    calls = 0

    def step(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at:
            raise fault()
        return original(*given, **named)

    return step


@pytest.mark.parametrize(("place", "name"), STEPS, ids=lambda part: getattr(part, "__name__", part))
def test_the_service_answers_after_any_error_of_a_step(
    faulty: Any, excerpt: Path, place: Any, name: str
) -> None:
    with faulty.client() as client:
        for fault, at in ROUNDS_OF.get(place, ROUNDS):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(place, name, raising(getattr(place, name), FAULTS[fault], at))
                for ask in (partial(client.query_video, HARBOUR), partial(client.query_file, excerpt)):
                    with suppress(ServiceError):  # an error is right; what counts is what is left behind
                        ask()
        assert faulty.context.query_jobs.n_live == 0
        whole(faulty, client, excerpt)


def whole(service: Any, client: Client, excerpt: Path) -> None:
    """Nothing is held, nothing lies about, and both kinds of query are answered."""
    query_jobs = service.context.query_jobs
    assert query_jobs.n_live == 0
    slots = [query_jobs.admit() for _ in range(2)]
    for slot in slots:
        slot.release()
    assert client.query_video(HARBOUR).state == "done"
    assert client.query_file(excerpt).state == "done"
    assert client.readiness().ready
    known = {f"{row.id}.video" for row in client.queries().items}
    assert set(service.kept) <= known
    assert not [row for row in client.queries().items if row.state in ("queued", "running")]


def test_a_disk_that_fills_while_queries_run_costs_uploads_alone(
    faulty: Any, excerpt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise FAULTS["database"]()

    with faulty.client() as client:
        with monkeypatch.context() as patch:
            patch.setattr(QueryStore, "put", full)
            patch.setattr(QueryJobs, "has_room", lambda *_: False)
            for _ in range(5):  # more than there are slots
                answered = client.query_video(HARBOUR, QueryOptions(top_k=1))
                assert answered.state == "done"
                assert client.query(answered.id).answer == answered.answer
            assert answered.id in [row.id for row in client.queries().items]
            with pytest.raises(ServiceFailedError) as refused:
                client.query_file(excerpt)
            assert (refused.value.problem.status, refused.value.problem.reason) == (507, "full")
        with monkeypatch.context() as patch:
            patch.setattr(QueryStore, "put", full)
            patch.setattr("dns_apps.service.probes._AGAIN_AFTER_S", 0.0)
            state = client.readiness()
            assert state.ready
            assert state.limited
            assert "memory" in state.detail
        monkeypatch.setattr("dns_apps.service.probes._AGAIN_AFTER_S", 0.0)
        assert not client.readiness().limited
        assert faulty.context.query_store.get(answered.id) is not None
        whole(faulty, client, excerpt)


@pytest.mark.parametrize(
    ("place", "name", "part"),
    [
        (QueryStore, "probe", "database"),
        (Decoders, "probe", "decoders"),
        (LiveIndex, "probe", "engine"),
    ],
)
def test_a_part_that_does_not_answer_is_not_ready(
    faulty: Any, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, part: str
) -> None:
    monkeypatch.setattr("dns_apps.service.probes._AGAIN_AFTER_S", 0.0)
    with faulty.http() as http:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, raising(None, FAULTS["defect"], 1))
            reply = http.get("/readyz")
        assert reply.status_code == 503
        assert f"{part}: an unforeseen defect" in reply.json()["detail"]
        assert http.get("/readyz").status_code == 200


def test_a_full_disk_is_507_everywhere(faulty: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with faulty.client() as client, faulty.http() as http:
        query = client.query_video(HARBOUR)
        label = {"query_id": query.id, "video_id": "harbour.mp4", "verdict": "copy"}
        steps = (
            (QueryStore, "put_label", "PUT", "/v1/labels", label),
            (Decoders, "clip", "GET", "/v1/previews/harbour.mp4?stop_s=1", None),
            (QueryStore, "delete", "DELETE", f"/v1/queries/{query.id}", None),
        )  # fmt: skip
        for place, name, method, path, content in steps:
            with monkeypatch.context() as patch:
                patch.setattr(place, name, raising(None, FAULTS["full"], 1))
                reply = http.request(method, path, json=content)
            assert (reply.status_code, reply.json().get("reason")) == (507, "full"), path


def test_a_decoder_that_dies_and_cannot_be_started_is_started_later(
    faulty: Any, excerpt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoders = faulty.context.decoders
    workers = [decoders._idle.get() for _ in range(decoders._n)]
    for worker in workers:
        worker._process.kill()
        worker._process.wait()
        decoders._idle.put(worker)
    with faulty.client() as client:
        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", raising(None, lambda: OSError(errno.EAGAIN, "no process"), 1))
            patch.setattr(decoders, "_replaced", lambda _: None)
            with pytest.raises(ServiceError):
                client.query_file(excerpt)
        whole(faulty, client, excerpt)
    assert decoders._idle.qsize() == decoders._n
