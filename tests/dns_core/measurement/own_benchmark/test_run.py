"""Peers that fail on a file, which are other people's code."""

from pathlib import Path

from dns_core.measurement.own_benchmark.run import _asked_peer
from dns_core.ports import SilentProgress
from dns_core.records import GroundTruth
from dns_core.workspace import Workspace

TRUTH = GroundTruth(("q1", "q2"), ("a", "b", "broken"), {"q1": {"a": "ND"}}, {"DSVR": ("ND",)})


class Lengths:
    """Compares names by their first letter; stumbles over one."""

    def describe(self, path: Path) -> str:
        if path.name == "broken":
            raise UnboundLocalError("somebody's mistake")
        return path.name

    def score(self, query: str, target: str) -> float:
        return float(target == "a") / len(query)


class Said(SilentProgress):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def test_a_file_that_a_peer_cannot_read_matches_nothing_and_is_counted(tmp_path: Path) -> None:
    progress = Said()
    rankings, n_failed = _asked_peer(Workspace(tmp_path), TRUTH, "lengths", Lengths(), progress)
    assert n_failed == 1
    assert progress.lines == ["broken: not described: UnboundLocalError: somebody's mistake"]
    assert rankings["q1"] == rankings["q2"] == [("a", 0.5), ("b", 0.0), ("broken", -1.0)]
