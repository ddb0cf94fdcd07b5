"""The index that is served: its state, changing it, and a reload that costs no request."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import NotFoundError, RequestRefusedError, ServiceFailedError
from dns_apps.service.index_jobs import IndexJobs
from dns_apps.service.schemas import QueryOptions
from dns_core.index import open_index, remove_videos
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_ops.releases.release import find_release, put_in_service


@pytest.fixture
def own(tmp_path: Path, built: Path, videos: Path) -> dict[str, str]:
    """An index and videos that a test may change."""
    shutil.copytree(built, tmp_path / "index")
    shutil.copytree(videos, tmp_path / "videos")
    return {"index": "index", "videos": "videos"}


def finished(client: Client, job_id: str) -> Any:
    while (job := client.job(job_id)).state in ("queued", "running"):
        time.sleep(0.05)
    return job


def test_the_state_of_the_index_is_shown(client: Client) -> None:
    state = client.index()
    assert (state.version, state.n_videos, state.n_quarantined, state.coverage) == (1, 3, 0, 1.0)
    assert state.healthy
    assert {"backbone", "coarse", "fine_binary", "whitening"} <= set(state.models)
    (version,) = state.versions
    assert (version.served, version.newest, version.n_videos) == (True, True, 3)
    assert state.bytes_per_video == pytest.approx(state.n_bytes / 3)


def test_videos_are_listed_and_found_by_part_of_their_id(client: Client) -> None:
    assert [row.id for row in client.videos().items] == sorted(row.id for row in client.videos().items)
    found = client.videos("market")
    assert [(row.id, row.playable, row.n_frames) for row in found.items] == [("folder/market.mp4", True, 24)]
    assert client.videos("' OR 1=1 --").total == 0
    page = client.videos(limit=1, offset=2)
    assert (len(page.items), page.total) == (1, 3)
    video = client.video("folder/market.mp4")
    assert (video.width_px, video.height_px, video.fps, video.codec) == (160, 120, 8.0, "h264")
    assert video.duration_s == pytest.approx(12)


def test_a_file_is_played_from_any_byte(service: Any, videos: Path) -> None:
    content = (videos / "harbour.mp4").read_bytes()
    with service.http() as http:
        whole = http.get("/v1/files/harbour.mp4")
        assert whole.content == content
        assert whole.headers["content-type"] == "video/mp4"
        part = http.get("/v1/files/harbour.mp4", headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, content[10:20])
        beyond = http.get("/v1/files/harbour.mp4", headers={"Range": "bytes=99999999-"})
        assert beyond.status_code == 416
        assert http.get("/v1/previews/harbour.mp4", params={"stop_s": 1e6}).status_code == 422


def test_an_id_may_end_in_any_word(run: Any, own: dict[str, str], tmp_path: Path, excerpt: Path) -> None:
    ids = ["night/file", "night/preview", "night/thumbnail"]
    (tmp_path / "videos" / "night").mkdir()
    for video_id in ids:
        shutil.copy(excerpt, tmp_path / "videos" / video_id)
    with run(tmp_path, **own) as one, one.client() as client, one.http() as http:
        assert finished(client, client.add_videos(ids).id).state == "done"
        for video_id in ids:
            assert client.video(video_id).id == video_id
            assert client.thumbnail(video_id).startswith(b"\xff\xd8")
            assert http.get(f"/v1/files/{video_id}").content == excerpt.read_bytes()


def test_videos_are_added_with_what_cannot_be_read_and_removed(
    run: Any, own: dict[str, str], tmp_path: Path, excerpt: Path
) -> None:
    (tmp_path / "videos" / "new").mkdir()
    shutil.copy(excerpt, tmp_path / "videos" / "new" / "clip.mp4")
    (tmp_path / "videos" / "notes.txt").write_text("no video")
    with run(tmp_path, **own) as one, one.client() as client:
        assert client.candidates().items == ("new/clip.mp4", "notes.txt")
        assert client.candidates("clip").total == 1
        job = finished(client, client.add_videos(["new/clip.mp4", "notes.txt"]).id)
        assert (job.state, job.progress, job.version) == ("done", 1.0, 2)
        assert "quarantined notes.txt" in job.messages[0]
        state = client.index()
        assert (state.version, state.n_videos, state.n_quarantined) == (2, 4, 1)
        assert state.quarantine[0].video_id == "notes.txt"
        with pytest.raises(RequestRefusedError, match="no video format"):
            client.thumbnail("notes.txt")  # seen if it could be
        assert client.query_file(excerpt, QueryOptions(budget="1.0", top_k=2)).answer is not None
        assert client.remove_video("new/clip.mp4").n_videos == 3
        assert client.index().version == 3
        for wrong, error in ((["harbour.mp4"], "already"), (["../x.mp4"], "hold no file")):
            with pytest.raises(RequestRefusedError, match=error):
                client.add_videos(wrong)
        with pytest.raises(NotFoundError):
            client.remove_video("new/clip.mp4")
        with pytest.raises(NotFoundError):
            client.job("0" * 24)


def test_near_duplicates_of_the_index_are_found_in_it(run: Any, own: dict[str, str], tmp_path: Path) -> None:
    with run(tmp_path, **own) as one, one.client() as client:
        shutil.copy(tmp_path / "videos" / "harbour.mp4", tmp_path / "videos" / "again.mp4")
        assert finished(client, client.add_videos(["again.mp4"]).id).state == "done"
        found = client.groups()
        assert found.progress == 1
        (group,) = [group for group in found.groups if "again.mp4" in group]
        assert "harbour.mp4" in group
        assert found.n_videos == sum(map(len, found.groups))
        assert client.groups(offset=found.total).groups == ()


def test_work_that_a_restart_interrupted_goes_on(
    run: Any, own: dict[str, str], tmp_path: Path, excerpt: Path
) -> None:
    shutil.copy(excerpt, tmp_path / "videos" / "late.mp4")
    # Nothing can be described while its lock is held.
    with run(tmp_path, **own) as one, one.client() as client, one.context.query_runner._compute:
        job = client.add_videos(["late.mp4"])
        assert [row.id for row in client.jobs().items] == [job.id]
        one.context.index_jobs._closed.set()
    with run(tmp_path, **own) as one, one.client() as client:
        assert finished(client, job.id).state == "done"
        assert "late.mp4" in [row.id for row in client.videos().items]
    with run(tmp_path, **own) as one, one.client() as client:
        assert [(row.id, row.state, row.version) for row in client.jobs().items] == [(job.id, "done", 2)]


def test_a_reload_during_load_fails_no_request(
    run: Any, own: dict[str, str], tmp_path: Path, excerpt: Path
) -> None:
    with run(tmp_path, **own) as one:
        seen: list[tuple[str, int, int]] = []
        stop = threading.Event()

        def ask() -> None:
            with one.client() as client:
                while not stop.is_set():
                    query = client.query_file(excerpt, QueryOptions(budget="1.0"))
                    assert query.answer is not None
                    seen.append((query.state, query.answer.index_version, query.answer.n_videos))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        with one.client() as client:
            for version, gone in ((2, "harbour.mp4"), (3, "folder/market.mp4")):
                remove_videos(tmp_path / "index", [gone])
                assert "after a reload" in client.index().health
                assert client.reload_index().version == version
                n_before = len(seen)
                while len(seen) < n_before + 4 and all(thread.is_alive() for thread in threads):
                    time.sleep(0.02)
        stop.set()
        for thread in threads:
            thread.join()
    assert {state for state, _, _ in seen} == {"done"}
    assert {(version, n_videos) for _, version, n_videos in seen} == {(1, 3), (2, 2), (3, 1)}


def test_without_an_index_the_service_says_why_until_there_is_one(
    run: Any, tmp_path: Path, videos: Path, excerpt: Path
) -> None:
    with run(tmp_path, index="index", videos=str(videos)) as one, one.client() as client:
        with one.http() as http:
            assert http.get("/healthz").status_code == 200
        readiness = client.readiness()
        assert not readiness.ready
        assert "holds no index" in readiness.detail
        with pytest.raises(ServiceFailedError, match="holds no index") as refused:
            client.query_file(excerpt)
        assert refused.value.problem.status == 503
        assert refused.value.retry_after_s > 0
        assert one.kept == []
        index_videos(videos, tmp_path / "index", Bundle.load(SHIPPED_MODELS))
        assert client.reload_index().n_videos == 3
        assert client.readiness().ready


def test_a_reload_that_cannot_be_leaves_what_is_served(run: Any, own: dict[str, str], tmp_path: Path) -> None:
    with run(tmp_path, **own) as one, one.client() as client:
        client.index()
        (tmp_path / "index" / "CURRENT").write_text("7\n")
        with pytest.raises(ServiceFailedError, match="cannot be opened"):
            client.reload_index()
        state = client.index()
        assert (state.version, state.healthy) == (1, False)
        assert client.videos().total == 3


@pytest.fixture
def release(tmp_path: Path, built: Path, videos: Path) -> Callable[..., Path]:
    """Puts a release in service; its index is returned. The workspace has an index of its own, and videos."""
    shutil.copytree(built, tmp_path / "artifacts" / "index")
    shutil.copytree(videos, tmp_path / "videos")

    def put(version: int, index: Path = built) -> Path:
        folder = tmp_path / "releases" / str(version)
        shutil.copytree(SHIPPED_MODELS, folder / "models")
        shutil.copytree(index, folder / "index")
        put_in_service(tmp_path, find_release(tmp_path, version))
        return folder / "index"

    return put


def test_what_is_added_after_a_promotion_is_added_to_what_answers(
    run: Any, release: Callable[..., Path], tmp_path: Path, excerpt: Path
) -> None:
    shutil.copy(excerpt, tmp_path / "videos" / "clip.mp4")
    with run(tmp_path, videos="videos") as one, one.client() as client:
        assert (client.index().release, client.index().folder) == (0, "artifacts/index")
        index = release(1)
        job = finished(client, client.add_videos(["clip.mp4"]).id)
        state = client.index()
        assert (job.release, job.version) == (state.release, state.version) == (1, 2)
        assert state.folder == "releases/1/index"
        assert "clip.mp4" in {row.id for row in client.videos().items}
        assert len(open_index(index).ids) == 4
        assert len(open_index(tmp_path / "artifacts" / "index").ids) == 3
        release(2, index)
        assert client.remove_video("clip.mp4").release == 2
        assert len(open_index(index).ids) == 4


def test_a_release_that_comes_into_service_while_videos_are_added_gets_them_too(
    run: Any, release: Callable[..., Path], tmp_path: Path, excerpt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(excerpt, tmp_path / "videos" / "clip.mp4")
    encoded = IndexJobs._encoded

    def promoted(self: IndexJobs, loaded: Any, *rest: Any) -> Any:
        if not loaded.release:
            release(1)
        return encoded(self, loaded, *rest)

    monkeypatch.setattr(IndexJobs, "_encoded", promoted)
    with run(tmp_path, videos="videos") as one, one.client() as client:
        job = finished(client, client.add_videos(["clip.mp4"]).id)
        assert (job.state, job.release) == ("done", 1)
        assert "clip.mp4" in {row.id for row in client.videos().items}


def test_the_service_follows_a_promotion_or_says_why_it_does_not(
    run: Any, release: Callable[..., Path], tmp_path: Path
) -> None:
    with run(tmp_path, videos="videos") as one, one.client() as client:
        release(1)
        until(lambda: client.index().release == 1)
        assert client.index().waiting == ""
        broken = release(2)
        next(broken.rglob("coarse.npy")).unlink()
        until(lambda: "coarse.npy" in client.index().waiting)
        assert client.index().release == 1
        with pytest.raises(ServiceFailedError, match="coarse"):
            client.reload_index()


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)
