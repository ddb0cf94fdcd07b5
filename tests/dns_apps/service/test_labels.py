"""What people say of answers: kept, shown with them, and exported."""

import csv
import io
from pathlib import Path

import pytest

from dns_apps.service.client import Client
from dns_apps.service.client_errors import NotFoundError
from dns_core.datasets.ground_truth import read_ground_truth


def test_labels_are_shown_with_answers_and_exported(client: Client, excerpt: Path, tmp_path: Path) -> None:
    query = client.query_file(excerpt, name="first.mp4")
    client.put_label(query.id, "harbour.mp4", "copy")
    client.put_label(query.id, "harbour.mp4", "not_a_copy")
    client.put_label(query.id, "folder/market.mp4", "copy")
    answer = client.query(query.id).answer
    assert answer is not None
    shown = {match.video_id: match.label for match in answer.matches}
    assert shown["harbour.mp4"] == "not_a_copy"
    assert shown["folder/market.mp4"] == "copy"
    assert shown["<b>night & day</b>.mp4"] is None
    assert client.labels(query.id).total == 2

    path = tmp_path / "labels.json"
    path.write_bytes(client.exported_labels("json"))
    truth = read_ground_truth(path)
    assert truth.positives("copies")["first.mp4"] == {"folder/market.mp4"}
    assert set(truth.labels["first.mp4"]) == {"folder/market.mp4", "harbour.mp4"}
    assert "<b>night & day</b>.mp4" in truth.database

    rows = list(csv.DictReader(io.StringIO(client.exported_labels("csv").decode())))
    mine = {row["video_id"]: row["verdict"] for row in rows if row["query_id"] == query.id}
    assert mine == {"folder/market.mp4": "copy", "harbour.mp4": "not_a_copy"}

    client.put_label(query.id, "harbour.mp4", None)
    client.delete_query(query.id)
    (left,) = client.labels(query.id).items
    assert (left.video_id, left.query_name, left.verdict) == ("folder/market.mp4", "first.mp4", "copy")


def test_queries_of_one_name_are_told_apart(client: Client, excerpt: Path, tmp_path: Path) -> None:
    for _ in range(2):
        query = client.query_file(excerpt, name="twice.mp4")
        client.put_label(query.id, "harbour.mp4", "copy")
    path = tmp_path / "labels.json"
    path.write_bytes(client.exported_labels("json"))
    assert sum(name.endswith("/twice.mp4") for name in read_ground_truth(path).queries) == 2


def test_nothing_unknown_is_labelled(client: Client, excerpt: Path) -> None:
    with pytest.raises(NotFoundError):
        client.put_label("0" * 24, "harbour.mp4", "copy")
    with pytest.raises(NotFoundError):
        client.put_label(client.query_file(excerpt).id, "nothing.mp4", "copy")
