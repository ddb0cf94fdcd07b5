import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns_core.datasets import read_ground_truth, write_ground_truth
from dns_core.errors import GroundTruthError
from dns_core.records import GroundTruth, Segment

CONTENT: dict[str, Any] = {
    "format": 1,
    "database": ["w.mp4", "v.mp4"],
    "tasks": {"DSVR": ["ND", "DS"], "CSVR": ["ND", "DS", "CS"]},
    "queries": {
        "q2.mp4": {"labels": {}},
        "q1.mp4": {
            "labels": {"v.mp4": "ND", "w.mp4": "CS"},
            "segments": {
                "v.mp4": [{"query_start_s": 0, "query_end_s": 4, "target_start_s": 10, "target_end_s": 14.5}]
            },
        },
    },
}


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(*keys: Any, to: Any) -> dict[str, Any]:
    content = copy.deepcopy(CONTENT)
    place: Any = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return content


def test_reads_what_the_file_says(tmp_path: Path) -> None:
    truth = read_ground_truth(write(tmp_path / "t.json", CONTENT))
    assert truth.queries == ("q1.mp4", "q2.mp4")
    assert truth.database == ("v.mp4", "w.mp4")
    assert truth.positives("DSVR") == {"q1.mp4": frozenset({"v.mp4"}), "q2.mp4": frozenset()}
    assert truth.positives("CSVR")["q1.mp4"] == {"v.mp4", "w.mp4"}
    assert truth.segments == {"q1.mp4": {"v.mp4": (Segment(0.0, 4.0, 10.0, 14.5, 1.0),)}}


def test_what_is_written_reads_back_and_repeats_byte_for_byte(tmp_path: Path) -> None:
    truth = read_ground_truth(write(tmp_path / "t.json", CONTENT))
    write_ground_truth(tmp_path / "a.json", truth)
    again = read_ground_truth(tmp_path / "a.json")
    write_ground_truth(tmp_path / "b.json", again)
    assert again == truth
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.mark.parametrize(
    ("content", "key", "expected", "found"),
    [
        ("{", "", "JSON", "column"),
        ('{"format": 1, "format": 1}', "", "JSON", "'format' twice"),
        ([], "top level", "an object", "[]"),
        (changed("format", to=2), "format", "format 1", "2"),
        (changed("databse", to=[]), "top level", "no keys but", "databse"),
        (changed("database", to="v.mp4"), "database", "a list", "'v.mp4'"),
        (changed("database", to=["v.mp4", "w.mp4", "v.mp4"]), "database", "different strings", "v.mp4"),
        (changed("database", 0, to=7), "database[0]", "a string", "7"),
        (changed("tasks", "DSVR", to=[]), "tasks.DSVR", "at least one label", "[]"),
        (changed("queries", "q2.mp4", to={}), "queries.q2.mp4", "a key 'labels'", "only []"),
        (
            changed("queries", "q2.mp4", "labels", to={"x.mp4": "ND"}),
            "queries.q2.mp4.labels",
            "only videos of the database",
            "['x.mp4']",
        ),
        (
            changed("queries", "q2.mp4", "segments", to={"v.mp4": []}),
            "queries.q2.mp4.segments",
            "videos that have a label",
            "v.mp4",
        ),
        (
            changed("queries", "q1.mp4", "segments", "v.mp4", 0, "query_end_s", to=0),
            "queries.q1.mp4.segments.v.mp4[0]",
            "a start before its end",
            "query_end_s",
        ),
        (
            changed("queries", "q1.mp4", "segments", "v.mp4", 0, "query_end_s", to=float("inf")),
            "queries.q1.mp4.segments.v.mp4[0].query_end_s",
            "finite",
            "inf",
        ),
        (
            changed("queries", "q1.mp4", "segments", "v.mp4", 0, "query_end_s", to=True),
            "query_end_s",
            "a number",
            "True",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_place_expected_and_found(
    tmp_path: Path, content: Any, key: str, expected: str, found: str
) -> None:
    path = write(tmp_path / "t.json", content)
    with pytest.raises(GroundTruthError) as caught:
        read_ground_truth(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert key in message
    assert f"expected {expected}" in message or expected in message
    assert found in message.partition("found")[2]


@pytest.mark.parametrize("bad", ["missing.json", "."])
def test_a_file_that_cannot_be_read_is_a_ground_truth_error(tmp_path: Path, bad: str) -> None:
    with pytest.raises(GroundTruthError, match="expected a readable file"):
        read_ground_truth(tmp_path / bad)


def test_bytes_that_are_not_text_are_a_ground_truth_error(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GroundTruthError, match="expected JSON"):
        read_ground_truth(tmp_path / "t.json")


@pytest.mark.parametrize(
    "truth",
    [
        GroundTruth(("q",), ("v",), {"q": {"x": "ND"}}, {"T": ("ND",)}),
        GroundTruth(("q",), ("v",), {"other": {"v": "ND"}}, {"T": ("ND",)}),
        GroundTruth(("q",), ("v",), {}, {"T": ()}),
        GroundTruth(("q",), ("v", "v"), {}, {"T": ("ND",)}),
    ],
)
def test_a_truth_that_contradicts_itself_is_not_written(tmp_path: Path, truth: GroundTruth) -> None:
    with pytest.raises(GroundTruthError):
        write_ground_truth(tmp_path / "t.json", truth)
    assert list(tmp_path.iterdir()) == []


IDS = st.text(min_size=1, max_size=6)


@given(data=st.data(), database=st.sets(IDS, max_size=5), queries=st.sets(IDS, max_size=3))
def test_any_consistent_truth_survives_the_file(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, database: set[str], queries: set[str]
) -> None:
    pair = st.sampled_from(sorted(database) or ["unused"])
    most = min(3, len(database))
    labels = {
        query: data.draw(st.dictionaries(pair, st.sampled_from(["ND", "IS"]), max_size=most))
        for query in queries
    }
    truth = GroundTruth(tuple(sorted(queries)), tuple(sorted(database)), labels, {"T": ("ND",)})
    path = tmp_path_factory.mktemp("truth") / "t.json"
    write_ground_truth(path, truth)
    assert read_ground_truth(path) == truth
