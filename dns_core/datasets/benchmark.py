"""A public benchmark: its ground truth, and how its authors judge a ranked list.

In a file it is a ground truth of format 1 with one more key, so that everything that reads ground truths
reads benchmarks too:

    "benchmark": {"name": "CC_WEB_VIDEO", "measure": "ranks", "distractors": [], "groups": {},
                  "excluded": {"1/1_1_Y": ["12/12_577_Y"]}, "own_entry": true, "found_only": false,
                  "judged": {"mAP": {"labelled_only": true, "clean": false}, ...}}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from dns_core.datasets.checked_json import Checked
from dns_core.datasets.ground_truth import ground_truth_json, parse_ground_truth
from dns_core.records import GroundTruth
from dns_core.store.atomic import write_json

_RULES = ("name", "measure", "judged", "excluded", "distractors", "groups", "own_entry", "found_only")

Measure = Literal["ranks", "thresholds", "trapezoid"]
"""How the benchmark's authors average precision.

``ranks``: at each positive's rank; ``thresholds``: at each distinct score, so that ties count together;
``trapezoid``: between the points before and after each positive.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """Which videos of a ranked list a task judges; the others are taken out of the list.

    Attributes:
        labelled_only: only those with a label for the query, and the distractors.
        clean: without those excluded for the query.
    """

    labelled_only: bool = False
    clean: bool = False


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A ground truth and the rules of the benchmark that it belongs to.

    Attributes:
        name: as its authors write it.
        truth: queries, database, labels and tasks; segments if the benchmark has them.
        measure: how its authors average precision.
        judged: what each task of ``truth`` judges.
        excluded: videos by query that a clean task takes out.
        distractors: videos without a label that every query is compared with.
        groups: the group (an event) of each query, if results are also averaged by group.
        own_entry: its authors leave a query that is in the database in its own list, a free hit.
        found_only: its authors divide by the positives that could be compared, so that losing hard ones
            raises their figure.
    """

    name: str
    truth: GroundTruth
    measure: Measure = "ranks"
    judged: Mapping[str, Judged] = field(default_factory=dict)
    excluded: Mapping[str, frozenset[str]] = field(default_factory=dict)
    distractors: frozenset[str] = frozenset()
    groups: Mapping[str, str] = field(default_factory=dict)
    own_entry: bool = False
    found_only: bool = True


def write_benchmark(path: Path, benchmark: Benchmark) -> None:
    """Write a benchmark as JSON; equal benchmarks give equal bytes.

    Raises:
        GroundTruthError: it contradicts itself, so that the file could not be read again.
    """
    content = ground_truth_json(path, benchmark.truth) | {"benchmark": _rules_json(benchmark)}
    _parse(Checked(path, "", content))
    write_json(path, content)


def read_benchmark(path: Path) -> Benchmark:
    """The benchmark that `write_benchmark` wrote; a plain ground truth is one without special rules.

    Raises:
        GroundTruthError: the message names the file, the key, what was expected and what was found.
    """
    return _parse(Checked.read(path))


def _rules_json(benchmark: Benchmark) -> dict[str, Any]:
    return {
        "name": benchmark.name,
        "measure": benchmark.measure,
        "judged": {
            task: {"labelled_only": rule.labelled_only, "clean": rule.clean}
            for task, rule in benchmark.judged.items()
        },
        "excluded": {query: sorted(videos) for query, videos in benchmark.excluded.items() if videos},
        "distractors": sorted(benchmark.distractors),
        "groups": dict(benchmark.groups),
        "own_entry": benchmark.own_entry,
        "found_only": benchmark.found_only,
    }


def _parse(top: Checked) -> Benchmark:
    truth = parse_ground_truth(top)
    if "benchmark" not in top.value:
        return Benchmark(top.file.stem, truth)
    node = top.child("benchmark")
    node.only(*_RULES)
    measure = node.child("measure")
    if measure.value not in get_args(Measure):
        raise measure.refuse(f"one of {', '.join(get_args(Measure))}")
    judged = {task: _judged(rule) for task, rule in node.child("judged").items()}
    if not judged.keys() <= truth.tasks.keys():
        raise node.child("judged").refuse("only tasks", f"{sorted(judged.keys() - truth.tasks.keys())}")
    return Benchmark(
        node.child("name").string(),
        truth,
        cast("Measure", measure.value),
        judged,
        {query: frozenset(videos.strings()) for query, videos in node.child("excluded").items()},
        frozenset(node.child("distractors").strings()),
        {query: group.string() for query, group in node.child("groups").items()},
        node.child("own_entry").truth(),
        node.child("found_only").truth(),
    )


def _judged(node: Checked) -> Judged:
    node.only("labelled_only", "clean")
    return Judged(node.child("labelled_only").truth(), node.child("clean").truth())
