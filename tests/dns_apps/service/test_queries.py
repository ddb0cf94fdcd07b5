"""Searching with uploads and with stored videos, looking at the answers, and finding them again."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from dns_apps.service.client import Client
from dns_apps.service.client_errors import NotFoundError, RequestRefusedError, ServiceBusyError
from dns_apps.service.schemas import CompareRequest, Query, QueryOptions, Side, StoredExcerpt, TimeRange
from dns_core.records import UInt8Array

MARKET = "folder/market.mp4"


@pytest.fixture(scope="module")
def answered(client: Client, excerpt: Path) -> Query:
    return client.query_file(excerpt, QueryOptions(budget="1.0", top_k=3))


def test_an_upload_is_found_where_it_was_taken_from(answered: Query) -> None:
    assert (answered.state, answered.progress, answered.name) == ("done", 1.0, "excerpt.mp4")
    assert answered.duration_s == pytest.approx(5, abs=0.6)
    assert answered.answer is not None
    best = answered.answer.matches[0]
    assert (best.rank, best.video_id, best.stage) == (1, MARKET, "fine")
    (segment,) = best.segments
    assert segment.target_start_s == pytest.approx(4, abs=1)
    assert segment.target_end_s == pytest.approx(9, abs=1)
    assert best.relation == "excerpt"
    assert best.rate == pytest.approx(1, abs=0.1)
    assert best.file is not None
    assert best.file.codec == "h264"
    assert best.file.duration_s > 9
    scores = [match.score for match in answered.answer.matches]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    assert {"features", "coarse", "fine", "total"} <= set(answered.answer.timing_ms)


def test_a_picture_finds_the_moment_that_it_shows(
    client: Client, draw: Callable[..., UInt8Array], tmp_path: Path
) -> None:
    path = tmp_path / "shot.webp"
    Image.fromarray(draw(1)[60]).save(path, quality=60)  # 7.5 s, at 8 pictures a second
    query = client.query_file(path)
    assert query.answer is not None
    best = query.answer.matches[0]
    assert best.video_id == MARKET
    # Read from the file: of the index's frames, one a second, none is as near.
    assert best.segments[0].target_start_s == pytest.approx(7.5, abs=0.2)
    assert Image.open(io.BytesIO(client.query_thumbnail(query.id, width_px=70))).size[0] == 70
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(RequestRefusedError, match="PNG"):
        client.query_file(tmp_path / "broken.png")


def test_options_hold(client: Client, excerpt: Path, answered: Query) -> None:
    assert answered.answer is not None
    best, second = (match.score for match in answered.answer.matches[:2])
    only = client.query_file(excerpt, QueryOptions(budget="1.0", threshold=(best + second) / 2))
    assert only.answer is not None
    assert [match.video_id for match in only.answer.matches] == [MARKET]
    coarse = client.query_file(excerpt, QueryOptions(budget="0", top_k=2, fine="fine_attention"))
    assert coarse.answer is not None
    assert [match.stage for match in coarse.answer.matches] == ["coarse", "coarse"]
    timed = client.query_file(excerpt, QueryOptions(budget="5000 ms"))
    assert timed.answer is not None
    assert {match.stage for match in timed.answer.matches} == {"fine"}


def test_a_stretch_of_a_stored_video_is_searched_with_on_its_own_clock(client: Client) -> None:
    stretch = StoredExcerpt(video_id=MARKET, start_s=6, stop_s=10)
    query = client.query_video(stretch, QueryOptions(budget="1.0"))
    assert query.source == stretch
    assert query.answer is not None
    assert query.answer.matches[0].video_id == MARKET
    segment = query.answer.matches[0].segments[0]
    assert segment.query_start_s == pytest.approx(6, abs=0.6)
    assert segment.target_start_s == pytest.approx(6, abs=0.6)
    with pytest.raises(RequestRefusedError, match="no picture"):
        client.query_video(StoredExcerpt(video_id=MARKET, start_s=100, stop_s=110))


def test_a_part_of_an_upload_is_searched_with_on_its_own_clock(client: Client, excerpt: Path) -> None:
    part = TimeRange(start_s=2, stop_s=4)
    query = client.query_file(excerpt, QueryOptions(budget="1.0"), part=part)
    assert (query.part, query.source) == (part, None)
    assert query.duration_s == pytest.approx(2, abs=0.6)
    assert query.answer is not None
    segment = query.answer.matches[0].segments[0]
    assert segment.query_start_s == pytest.approx(2, abs=0.6)
    assert segment.target_start_s == pytest.approx(6, abs=1)
    with pytest.raises(RequestRefusedError, match="no picture"):
        client.query_file(excerpt, part=TimeRange(start_s=100))


def test_a_query_that_takes_long_is_followed_and_listed(client: Client, excerpt: Path) -> None:
    begun = client.query_file(excerpt, name="../later.mp4", wait_s=0)
    assert begun.state in ("queued", "running")
    assert begun.name == "later.mp4"
    done = client.finished_query(begun.id)
    assert done.state == "done"
    assert done.answer is not None
    row = next(row for row in client.queries(limit=500).items if row.id == begun.id)
    assert (row.state, row.best, row.n_matches) == ("done", MARKET, len(done.answer.matches))
    newest, next_one = client.queries(limit=2).items
    assert newest.created_at > next_one.created_at
    assert client.queries(limit=1, offset=1).items == (next_one,)


def test_a_match_is_shown_frame_by_frame(client: Client, answered: Query) -> None:
    shown = client.match(answered.id, MARKET)
    assert len(shown.matrix) == len(shown.query_times_s) == 10
    assert {len(row) for row in shown.matrix} == {len(shown.target_times_s)} == {24}
    assert all(-1 <= cell <= 1 for row in shown.matrix for cell in row)
    assert shown.segments == answered.answer.matches[0].segments if answered.answer else False
    path = shown.paths[0]
    assert all(target - query == pytest.approx(4, abs=1) for query, target in path)
    assert list(path) == sorted(path)
    # What is drawn begins at the moment that is played.
    assert path[0] == (shown.segments[0].query_start_s, shown.segments[0].target_start_s)
    small = client.match(answered.id, MARKET, max_side=8)
    assert (len(small.matrix), len(small.matrix[0])) == (5, 8)
    # A cell of the small matrix is the highest of its block of 2 x 3.
    assert small.matrix[0][0] == max(cell for row in shown.matrix[:2] for cell in row[:3])
    with pytest.raises(NotFoundError):
        client.match(answered.id, "nothing.mp4")


def test_two_videos_are_compared(client: Client, answered: Query) -> None:
    whole = Side(video=StoredExcerpt(video_id=MARKET))
    same = client.compare(CompareRequest(a=whole, b=whole))
    assert same.raw_score == pytest.approx(1, abs=0.05)
    cut = client.compare(CompareRequest(a=Side(query_id=answered.id), b=whole))
    assert cut.matrix == client.match(answered.id, MARKET).matrix
    part = Side(video=StoredExcerpt(video_id=MARKET, start_s=5, stop_s=7))
    assert client.compare(CompareRequest(a=part, b=whole)).query_times_s == (5.0, 5.5, 6.0, 6.5)
    beyond = Side(video=StoredExcerpt(video_id=MARKET, start_s=50))
    with pytest.raises(RequestRefusedError, match="ends at"):
        client.compare(CompareRequest(a=beyond, b=whole))


def test_the_video_of_a_query_is_seen_again(
    client: Client, service: Any, answered: Query, excerpt: Path
) -> None:
    picture = Image.open(io.BytesIO(client.query_thumbnail(answered.id, 2.0, width_px=80)))
    assert picture.size == (80, 60)
    with av.open(io.BytesIO(client.query_preview(answered.id, 1, 3)), "r") as clip:
        assert clip.streams.video[0].codec_context.name == "h264"
        assert len(list(clip.decode(video=0))) == 16
    with service.http() as http:
        assert http.get(f"/v1/queries/{answered.id}/file").content == excerpt.read_bytes()


def test_a_deleted_query_is_gone_with_its_video_and_stops(
    client: Client, service: Any, excerpt: Path
) -> None:
    finished = client.query_file(excerpt)
    begun = client.query_file(excerpt, wait_s=0)
    assert f"{finished.id}.video" in service.kept
    for query in (finished, begun):
        client.delete_query(query.id)
        with pytest.raises(NotFoundError, match="no query"):
            client.query(query.id)
        assert f"{query.id}.video" not in service.kept
    with pytest.raises(NotFoundError):
        client.delete_query(finished.id)


def test_queries_and_labels_survive_a_restart(
    run: Any, built: Path, videos: Path, excerpt: Path, tmp_path: Path
) -> None:
    settings = {"index": str(built), "videos": str(videos)}
    with run(tmp_path, **settings) as first, first.client() as client:
        query = client.query_file(excerpt)
        client.put_label(query.id, MARKET, "copy")
        labelled = client.query(query.id)
        undone = query.model_copy(update={"id": "f" * 24, "state": "running", "answer": None})
        first.context.query_store.put(undone, 0)
        lost = undone.model_copy(update={"id": "e" * 24})
        first.context.query_store.put(lost, 0)
        queries = tmp_path / ".platform/service/queries"
        (queries / f"{undone.id}.video").write_bytes(excerpt.read_bytes())
        (queries / "stray.video").write_bytes(b"of no query")
    with run(tmp_path, **settings) as second, second.client() as client:
        assert client.query(query.id) == labelled
        assert client.match(query.id, MARKET).segments
        assert client.finished_query(undone.id).state == "done"
        problem = client.query(lost.id).problem
        assert problem is not None
        assert "restarted" in problem.detail
        assert "stray.video" not in second.kept


def test_old_queries_are_forgotten_unless_they_bear_labels(
    run: Any, built: Path, videos: Path, excerpt: Path, tmp_path: Path
) -> None:
    with run(tmp_path, index=str(built), videos=str(videos), keep_queries=2) as one, one.client() as client:
        labelled, *others = (client.query_file(excerpt) for _ in range(2))
        client.put_label(labelled.id, MARKET, "copy")
        others += [client.query_file(excerpt) for _ in range(3)]
        kept = {row.id for row in client.queries().items}
        assert kept == {labelled.id, others[-1].id, others[-2].id}
        assert one.kept == sorted(f"{query_id}.video" for query_id in kept)


def test_more_than_may_wait_are_told_to_come_back(
    run: Any, built: Path, videos: Path, excerpt: Path, tmp_path: Path
) -> None:
    settings = {"index": str(built), "videos": str(videos), "max_waiting": 1}
    with run(tmp_path, **settings) as one, one.client() as client:
        slot = one.context.query_jobs.admit()
        with pytest.raises(ServiceBusyError, match="try again") as refused:
            client.query_file(excerpt)
        assert refused.value.retry_after_s > 0
        slot.release()
        assert client.query_file(excerpt).state == "done"
