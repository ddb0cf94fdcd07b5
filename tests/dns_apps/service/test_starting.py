"""The service starts with any index it finds, and says in one line what is wrong."""

import logging
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dns_apps.service import live_index as live_index_module
from dns_apps.service import query_store as query_store_module
from dns_apps.service.client_errors import ServiceFailedError
from dns_apps.service.query_store import QueryStore
from dns_apps.service.schemas import LabelRequest, Query, QueryOptions, StoredExcerpt, TimeRange
from dns_apps.service.schemas.fields import State
from dns_core.index import compact_index, remove_videos
from tests.permissions import OPEN, USUAL, open_to_others, with_umask

HARBOUR = StoredExcerpt(video_id="harbour.mp4")


def kept(number: int, state: State = "queued") -> Query:
    return Query(
        id=f"{number:024x}", name="harbour.mp4", source=HARBOUR, part=TimeRange(), options=QueryOptions(),
        state=state, progress=0.0, created_at=datetime.now(UTC),
    )  # fmt: skip


@pytest.fixture
def start(run: Any, videos: Path) -> Any:
    return partial(run, videos=str(videos))


def test_more_unfinished_queries_than_places_are_all_answered(
    start: Any, built: Path, tmp_path: Path
) -> None:
    query_store = QueryStore(tmp_path / ".platform/service/records.db")
    for number in range(5):
        query_store.put(kept(number), 0)
    query_store.close()
    with start(tmp_path, index=str(built), max_waiting=2) as one, one.client() as client:
        for number in range(5):
            assert client.finished_query(kept(number).id).state == "done"
        assert client.query_video(HARBOUR).state == "done"
        for _ in range(2):
            one.context.query_jobs.admit()


def nonsense(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def truncated(path: Path) -> None:
    QueryStore(path).close()
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE filler (x)")
        database.executemany("INSERT INTO filler VALUES (?)", [("y" * 3000,)] * 100)
    database.close()
    path.write_bytes(path.read_bytes()[:20_000])


def of_other_form(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE query (name)")
    database.close()


@pytest.mark.parametrize("damage", [nonsense, truncated, of_other_form])
def test_a_damaged_database_is_set_aside_and_named(
    start: Any, built: Path, tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / ".platform/service/records.db"
    path.parent.mkdir(parents=True)
    damage(path)
    before = path.stat().st_ino
    with (
        caplog.at_level(logging.WARNING),
        start(tmp_path, index=str(built)) as one,
        one.client() as client,
    ):
        assert client.query_video(HARBOUR).state == "done"
    (aside,) = path.parent.glob("records.damaged-*.db")
    assert aside.stat().st_ino == before
    (said,) = [row.message for row in caplog.records if "damaged" in row.message]
    assert str(aside) in said
    assert "\n" not in said


def test_an_empty_database_is_a_new_one(start: Any, built: Path, tmp_path: Path) -> None:
    path = tmp_path / ".platform/service/records.db"
    path.parent.mkdir(parents=True)
    path.touch()
    with start(tmp_path, index=str(built)) as one, one.client() as client:
        assert client.query_video(HARBOUR).state == "done"
    assert [file.name for file in path.parent.glob("records*")] == ["records.db"]


def test_a_busy_database_is_not_taken_for_a_damaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(_: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    path = tmp_path / "records.db"
    QueryStore(path).close()
    monkeypatch.setattr(query_store_module, "_connected", busy)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        QueryStore(path)
    assert [file.name for file in tmp_path.glob("records*")] == ["records.db"]


def test_on_a_full_disk_what_was_kept_is_read_and_written_again_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> sqlite3.Connection:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    path = tmp_path / "records.db"
    query_store = QueryStore(path)
    query_store.put(kept(1, "failed"), 0)
    query_store.close()
    with monkeypatch.context() as patch:
        patch.setattr(query_store_module, "_connected", full)
        query_store = QueryStore(path)
        assert "full" in query_store.problem
        assert query_store.get(kept(1).id) is not None
        label = LabelRequest(query_id=kept(1).id, video_id="harbour.mp4", verdict="copy")
        with pytest.raises(OSError, match="full"):
            query_store.put_label(label, "harbour.mp4")
    query_store.put_label(label, "harbour.mp4")
    assert not query_store.problem
    assert query_store.verdicts(kept(1).id) == {"harbour.mp4": "copy"}
    query_store.close()


def test_a_damaged_version_of_the_index_gives_way_to_the_one_before(
    start: Any, built: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    remove_videos(index, ["folder/market.mp4"])
    (newest,) = [folder for folder in (index / "versions").iterdir() if folder.name == "2"]
    manifest = newest / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-40])
    with start(tmp_path, index=str(index)) as one, one.client() as client:
        state = client.readiness()
        assert state.ready
        assert "version 2 is damaged, version 1 is served" in state.detail
        assert not client.index().healthy
        assert client.query_video(HARBOUR).state == "done"


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-5] ^= 2
    file.unlink()  # another version may have it by a link
    file.write_bytes(content)


def test_a_version_with_a_damaged_block_gives_way_to_the_one_before(
    start: Any, built: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    compact_index(index)
    flip(index / "versions" / "2" / "shard-000002" / "coarse.npy")
    with start(tmp_path, index=str(index)) as one, one.client() as client:
        state = client.readiness()
        assert state.ready
        assert "version 2 is damaged, version 1 is served" in state.detail
        assert "coarse.npy" in state.detail
        assert client.query_video(HARBOUR).state == "done"


def test_a_damaged_block_met_by_a_query_is_an_error_and_no_other_score(
    start: Any, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    flip(index / "versions" / "1" / "shard-000001" / "frames.fine_binary.npy")
    monkeypatch.setattr(live_index_module, "_warm", lambda _: None)  # else it would be met on starting
    with start(tmp_path, index=str(index)) as one, one.client() as client:
        assert client.index().healthy
        with pytest.raises(ServiceFailedError, match=r"frames\.fine_binary\.npy is damaged") as refused:
            client.query_video(HARBOUR, QueryOptions(budget="1"))
        assert (refused.value.problem.status, refused.value.problem.reason) == (503, "artefact")
        state = client.index()
        assert (state.healthy, "frames.fine_binary.npy" in state.health) == (False, True)
        assert client.query_video(HARBOUR, QueryOptions(budget="0")).state == "done"


def test_an_index_with_no_whole_version_is_said_and_the_service_lives(
    start: Any, built: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    shutil.copytree(built, index)
    for manifest in index.glob("versions/*/manifest.json"):
        manifest.write_text("{}")
    with start(tmp_path, index=str(index)) as one, one.http() as http:
        assert http.get("/healthz").status_code == 200
        reply = http.get("/readyz")
        assert reply.status_code == 503
        assert "index" in reply.json()["detail"]


@pytest.mark.parametrize("umask", [OPEN, USUAL])
def test_what_the_service_keeps_is_the_users_alone(
    start: Any, built: Path, excerpt: Path, tmp_path: Path, umask: int
) -> None:
    home = tmp_path / ".platform" / "service"
    with with_umask(umask):
        if umask == OPEN:  # one that is set aside, and the one after it
            home.mkdir(parents=True)
            (home / "records.db").write_bytes(b"no database")
        with start(tmp_path, index=str(built)) as one, one.client() as client:
            client.query_file(excerpt)
            assert open_to_others(tmp_path / ".platform") == []
            assert {path.name for path in home.iterdir()} >= {
                "queries", "scratch", "records.db", "records.db-wal"
            }  # fmt: skip
            assert list((home / "queries").iterdir())
