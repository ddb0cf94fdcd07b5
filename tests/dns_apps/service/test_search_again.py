"""Searches with other options, under a name, and what an answer says of itself."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import NotFoundError
from dns_apps.service.query_store import QueryStore
from dns_apps.service.schemas import LabelRequest, QueryOptions, StoredExcerpt, VideosAsked
from dns_core.records import VideoFeatures

MARKET = "folder/market.mp4"


def test_another_threshold_and_budget_need_no_second_upload(
    client: Client, service: Any, excerpt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.query_file(excerpt, QueryOptions(threshold=0.99999), wait_s=60)
    described: list[object] = []
    runner = service.context.query_runner
    real = runner.features

    def features(*given: Any, **named: Any) -> VideoFeatures:
        described.append(given)
        found: VideoFeatures = real(*given, **named)
        return found

    monkeypatch.setattr(runner, "features", features)
    again = client.query_again(first.id, QueryOptions(budget="1.0", threshold=0.0), wait_s=60)
    assert not described
    assert again.id != first.id
    assert again.name == first.name
    assert again.answer is not None
    assert again.answer.matches[0].video_id == MARKET
    assert again.options.budget == "1.0"
    client.delete_query(first.id)
    assert client.query_thumbnail(again.id, 1.0)  # its video is its own


def test_a_search_again_keeps_the_part_and_refuses_what_is_not_there(client: Client) -> None:
    asked = StoredExcerpt(video_id=MARKET, start_s=2, stop_s=6)
    first = client.query_video(asked, wait_s=60)
    assert client.query_again(first.id, QueryOptions(budget="0"), wait_s=60).source == asked
    with pytest.raises(NotFoundError):
        client.query_again("0" * 24, QueryOptions())


def test_the_best_score_below_the_threshold_is_told(client: Client, excerpt: Path) -> None:
    whole = client.query_file(excerpt, QueryOptions(threshold=0.0), wait_s=60).answer
    none = client.query_file(excerpt, QueryOptions(threshold=1.0), wait_s=60).answer
    assert whole is not None
    assert none is not None
    assert whole.near_miss is None
    assert none.matches == ()
    assert none.near_miss is not None
    assert (none.near_miss.video_id, none.near_miss.score) == (MARKET, whole.matches[0].score)


def test_the_querys_own_file_is_marked(client: Client, videos: Path) -> None:
    query = client.query_file(videos / MARKET, name="other.mp4", wait_s=60)
    assert query.answer is not None
    assert [row.video_id for row in query.answer.matches if row.same_file] == [MARKET]


def test_a_named_search_is_kept_and_listed_by_its_name(client: Client, service: Any, excerpt: Path) -> None:
    query = client.query_file(excerpt, wait_s=60)
    assert client.put_title(query.id, " Harbour, raw ").title == "Harbour, raw"
    assert query.id not in service.context.query_store.superfluous(0, 0)
    assert next(row for row in client.queries().items if row.id == query.id).title == "Harbour, raw"
    client.put_title(query.id, "")
    assert query.id in service.context.query_store.superfluous(0, 0)
    with pytest.raises(NotFoundError):
        client.put_title("0" * 24, "x")
    with service.http() as http:
        assert http.patch(f"/v1/queries/{query.id}", json={"title": "x" * 201}).status_code == 422


def test_a_label_says_who_and_when(client: Client, excerpt: Path) -> None:
    query = client.query_file(excerpt, wait_s=60)
    client.put_label(query.id, MARKET, "copy", labelled_by="ada@example.org")
    (label,) = client.labels(query.id).items
    assert label.labelled_by == "ada@example.org"
    assert "ada@example.org" in client.exported_labels("csv").decode()


def test_labels_kept_before_people_were_named_are_read(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    with sqlite3.connect(path) as before:
        before.execute(
            "CREATE TABLE label (query_id TEXT NOT NULL, video_id TEXT NOT NULL, query_name TEXT NOT NULL,"
            " verdict TEXT NOT NULL, labelled_at TEXT NOT NULL, PRIMARY KEY (query_id, video_id)) STRICT"
        )
        before.execute("INSERT INTO label VALUES ('q', 'a.mp4', 'q.mp4', 'copy', '2026-01-02T03:04:05Z')")
    before.close()
    store = QueryStore(path)
    store.put_label(LabelRequest(query_id="q", video_id="b.mp4", verdict="copy", labelled_by="ada"), "q.mp4")
    found, total = store.labels()
    store.close()
    assert {row.video_id: row.labelled_by for row in found} == {"a.mp4": "", "b.mp4": "ada"}
    assert total == 2


def listed(client: Client, **asked: Any) -> list[str]:
    return [row.id for row in client.listed_videos(VideosAsked(**asked)).items]


def test_videos_are_listed_by_length_size_version_and_likeness(client: Client) -> None:
    rows = client.videos().items
    assert all(row.n_bytes > 0 and row.height_px > 0 and row.version == 1 for row in rows)
    longest = max(row.duration_s for row in rows)
    assert listed(client, shortest_s=longest + 1) == []
    assert listed(client, longest_s=longest + 1) == [row.id for row in rows]
    sizes = sorted((row.n_bytes for row in rows), reverse=True)
    assert len(listed(client, smallest_bytes=sizes[1])) == 2
    largest = listed(client, order="largest")
    assert [next(r.n_bytes for r in rows if r.id == video_id) for video_id in largest] == sizes
    assert listed(client, version=2) == []
    assert listed(client, smallest_px=4000) == []
    alike = client.listed_videos(VideosAsked(similar_to=MARKET)).items
    assert MARKET not in [row.id for row in alike]
    similarities = [row.similarity for row in alike]
    assert len(alike) == len(rows) - 1
    assert None not in similarities
    assert similarities == sorted(similarities, reverse=True)  # type: ignore[type-var]
    with pytest.raises(NotFoundError):
        listed(client, similar_to="nothing.mp4")
