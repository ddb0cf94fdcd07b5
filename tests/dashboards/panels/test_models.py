"""Bundles, gates and lineage as rows and a graph."""

from datetime import UTC, datetime

from dashboards.panels.models import decision_rows, gate_rows, last_judged, lineage, map_figures, version_rows
from dns_ops.registry import BundleVersion
from dns_ops.run_records import RunRecord

VERSION = BundleVersion(7, "f" * 16, "d" * 16, "c" * 40, "r" * 32, ("challenger",))
GATES = [
    {"name": "index", "passed": True, "expected": "whole", "found": "ok"},
    {"name": "coverage", "passed": False, "expected": "at least 1", "found": "0.9"},
]
REFUSED = {
    "at": "2026-05-01T12:00:00+00:00", "who": "ann", "action": "refused", "version": 7, "before": 3,
    "after": 3, "reason": "", "gates": GATES,
}  # fmt: skip
BACK = {**REFUSED, "action": "rolled back", "before": 7, "after": 0, "gates": [], "reason": "slow"}


def run(stage: str) -> RunRecord:
    return RunRecord("id", stage, "FINISHED", datetime(2026, 5, 1, tzinfo=UTC), 12.0, "p", "", "", {}, {})


def test_a_version_has_the_best_students_precision() -> None:
    metrics = {"map.coarse.DSVR": 0.5, "map.fine_binary.DSVR": 0.7, "map.teacher.DSVR": 0.9, "coverage": 1.0}
    assert map_figures(metrics) == {"mAP DSVR": 0.7}
    (row,) = version_rows([VERSION], {7: metrics})
    assert (row["version"], row["is"], row["mAP DSVR"]) == (7, "challenger", 0.7)


def test_failed_gates_stand_first() -> None:
    assert [row["gate"] for row in gate_rows(REFUSED)] == ["coverage", "index"]
    assert "failed" in gate_rows(REFUSED)[0][""]
    assert last_judged([REFUSED, BACK], 7) == REFUSED
    assert last_judged([BACK], 7) is None


def test_the_newest_decision_stands_first_and_names_the_gates_that_failed() -> None:
    first, second = decision_rows([REFUSED, BACK])
    assert (first["what"], first["champion"], first["reason"]) == ("rolled back", "7 → none", "slow")
    assert second["failed gates"] == "coverage"


def test_lineage_goes_from_data_to_index_and_shows_what_did_not_run() -> None:
    graph = lineage(VERSION, [run("extract_features"), run("train_student@coarse")], in_service=False)
    for edge in (
        '"data" -> "features"',
        '"similarities" -> "coarse"',
        '"coarse" -> "bundle"',
        '"bundle" -> "index"',
    ):
        assert edge in graph
    assert 'label="similarities\\nas before", style="rounded,dashed"' in graph
    assert 'label="coarse\\n12 s, finished", style="rounded,filled"' in graph
    assert "not in service" in graph


def test_a_name_cannot_leave_its_box() -> None:
    graph = lineage(BundleVersion(1, '"];x[y="', "", "", "", ()), [], in_service=True)
    assert "];x[y=" in graph
    assert '"];x' not in graph
