"""EVVE (Revaud et al., CVPR 2013): videos of 13 events, judged query by query and event by event."""

from pathlib import Path

from dns_core.datasets.benchmark import Benchmark
from dns_core.datasets.checked_json import Checked
from dns_core.datasets.public_file import read_public_pickle
from dns_core.records import GroundTruth

ORIGIN = "datasets/evve.pickle of the project MKLab-ITI/visil (GitHub); data: EVVE of Inria"


def read_evve(path: Path) -> Benchmark:
    """EVVE, from ``evve.pickle``; label ``P`` is a video of the query's event.

    Raises:
        GroundTruthError: the file is not there, or does not say what it should.
        ForeignFileError: it is not a pickle of plain data.
    """
    top = read_public_pickle(path, ORIGIN)
    queries, database = top.child("queries").strings(), top.child("database").strings()
    groups: dict[str, str] = {}
    labels: dict[str, dict[str, str]] = {}
    for event, node in top.child("annotation").items():
        of_event, positives = _event(node)
        groups |= dict.fromkeys(of_event, event)
        labels |= {query: dict.fromkeys(sorted(positives & set(database)), "P") for query in of_event}
    unlisted = sorted(set(queries) ^ set(groups))
    if unlisted:
        raise top.child("queries").refuse("the queries of all events", f"{unlisted} in one list alone")
    truth = GroundTruth(tuple(sorted(queries)), tuple(sorted(database)), labels, {"mAP": ("P",)})
    return Benchmark("EVVE", truth, measure="trapezoid", groups=groups)


def _event(node: Checked) -> tuple[tuple[str, ...], set[str]]:
    """Queries and positives of one event; what is known to be of no event is not needed."""
    parts = node.elements()
    if len(parts) != 3:
        raise node.refuse("queries, positives and others", f"{len(parts)} parts")
    return parts[0].strings(), set(parts[1].strings())
