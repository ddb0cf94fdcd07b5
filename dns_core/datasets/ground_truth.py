"""The one annotation file that this software writes and reads (format 1).

    {"format": 1,
     "database": ["v.mp4", ...],
     "tasks": {"DSVR": ["ND", "DS"], ...},
     "queries": {"q1.mp4": {"labels": {"v.mp4": "ND"},
                            "segments": {"v.mp4": [{"query_start_s": 0, "query_end_s": 4,
                                                    "target_start_s": 10, "target_end_s": 14}]}}}}

``segments`` may be left out, and so may ``benchmark``, the rules of a public benchmark
(`dns_core.datasets.benchmark`). A file that says something else is refused as a whole: a label of a video
that is not in the database would silently shrink the denominator of a measure.
"""

from pathlib import Path
from typing import Any

from dns_core.datasets.checked_json import Checked
from dns_core.errors import GroundTruthError
from dns_core.records import GroundTruth, Segment
from dns_core.store.atomic import write_json

_FORMAT = 1
_SEGMENT_KEYS = ("query_start_s", "query_end_s", "target_start_s", "target_end_s")


def read_ground_truth(path: Path) -> GroundTruth:
    """Ground truth of an annotation file, ids sorted.

    Args:
        path: a JSON file of format 1.

    Raises:
        GroundTruthError: the message names the file, the key, what was expected and what was found.
    """
    return parse_ground_truth(Checked.read(path))


def write_ground_truth(path: Path, truth: GroundTruth) -> None:
    """Write a ground truth as format 1; equal ones give equal bytes.

    Args:
        path: the file to write, atomically.
        truth: ids may be in any order.

    Raises:
        GroundTruthError: ``truth`` contradicts itself, so that the file could not be read again.
    """
    write_json(path, ground_truth_json(path, truth))


def ground_truth_json(path: Path, truth: GroundTruth) -> dict[str, Any]:
    """The content of ``path`` for ``truth``; raises as `write_ground_truth` does."""
    unlisted = (set(truth.labels) | set(truth.segments)) - set(truth.queries)
    if unlisted:
        raise GroundTruthError(f"{path}: queries: expected labels of queries alone, found {sorted(unlisted)}")
    content = {
        "format": _FORMAT,
        "database": sorted(truth.database),
        "tasks": {name: list(labels) for name, labels in truth.tasks.items()},
        "queries": {query: _query_json(truth, query) for query in truth.queries},
    }
    parse_ground_truth(Checked(path, "", content))
    return content


def parse_ground_truth(top: Checked) -> GroundTruth:
    """Ground truth of the content of a file; the rules of a benchmark in it are left to their reader.

    Raises:
        GroundTruthError: as `read_ground_truth`.
    """
    if top.child("format").value != _FORMAT:
        raise top.child("format").refuse(f"format {_FORMAT}")
    top.only("format", "database", "tasks", "queries", "benchmark")
    database = top.child("database").strings()
    tasks = {name: _task(node) for name, node in top.child("tasks").items()}
    labels: dict[str, dict[str, str]] = {}
    segments: dict[str, dict[str, tuple[Segment, ...]]] = {}
    for query, node in top.child("queries").items():
        node.only("labels", "segments")
        labels[query] = _labels(node.child("labels"), frozenset(database))
        if "segments" in node.value:
            segments[query] = _segments(node.child("segments"), frozenset(labels[query]))
    return GroundTruth(tuple(sorted(labels)), tuple(sorted(database)), labels, tasks, segments)


def _task(node: Checked) -> tuple[str, ...]:
    labels = node.strings()
    if not labels:
        raise node.refuse("at least one label")
    return labels


def _labels(node: Checked, database: frozenset[str]) -> dict[str, str]:
    labels = {video: label.string() for video, label in node.items()}
    if not labels.keys() <= database:
        raise node.refuse("only videos of the database", f"{sorted(labels.keys() - database)}")
    return labels


def _segments(node: Checked, labelled: frozenset[str]) -> dict[str, tuple[Segment, ...]]:
    segments = {video: tuple(map(_segment, stretches.elements())) for video, stretches in node.items()}
    if not segments.keys() <= labelled:
        raise node.refuse("only videos that have a label", f"{sorted(segments.keys() - labelled)}")
    return segments


def _segment(node: Checked) -> Segment:
    node.only(*_SEGMENT_KEYS)
    query_start_s, query_end_s, target_start_s, target_end_s = (
        node.child(k).seconds() for k in _SEGMENT_KEYS
    )
    if not (query_start_s < query_end_s and target_start_s < target_end_s):
        raise node.refuse("a start before its end")
    return Segment(query_start_s, query_end_s, target_start_s, target_end_s, score=1.0)


def _query_json(truth: GroundTruth, query: str) -> dict[str, Any]:
    content: dict[str, Any] = {"labels": dict(truth.labels.get(query, {}))}
    segments = truth.segments.get(query, {})
    if segments:
        content["segments"] = {
            video: [{key: getattr(segment, key) for key in _SEGMENT_KEYS} for segment in stretches]
            for video, stretches in segments.items()
        }
    return content
