"""Bundles, gates and lineage as rows and a graph."""

from datetime import UTC, datetime
from typing import Any

from dashboards.panels.models import (
    Figures,
    decision_rows,
    figures_in_service,
    gate_rows,
    last_judged,
    lineage,
    promotion_rows,
    version_rows,
)
from dns_core.evaluation.gates import GateLimits
from dns_ops.releases.registry import BundleVersion
from dns_ops.tracking.run_queries import RunRecord

VERSION = BundleVersion(7, "f" * 16, "d" * 16, "c" * 40, "r" * 32, ("challenger",))
GATES = [
    {"name": "index", "passed": True, "expected": "whole", "found": "ok"},
    {"name": "coverage", "passed": False, "expected": "at least 1", "found": "0.9"},
]
REFUSED = {
    "at": "2026-05-01T12:00:00+00:00", "who": "ann", "action": "refused", "version": 7, "before": 3,
    "after": 3, "reason": "", "gates": GATES,
}  # fmt: skip
JUDGED = {
    **REFUSED, "budget": 0.3,
    "figures": {"7": {"map": {"DSVR": 0.68}, "p95_query_s": 1.0, "bytes_per_video": 2048.0, "coverage": 1.0}},
}  # fmt: skip
BACK = {**REFUSED, "action": "rolled back", "before": 7, "after": 0, "gates": [], "reason": "slow"}


def run(stage: str) -> RunRecord:
    return RunRecord("id", stage, "FINISHED", datetime(2026, 5, 1, tzinfo=UTC), 12.0, "p", "", "", {}, {})


def test_a_version_has_the_figures_of_the_setting_in_service_which_are_the_gates() -> None:
    others = [("fine_attention", None, 0.95), ("dns_fine_binary", 0.3, 0.7), ("dns_fine_binary", 1.0, 0.9)]
    methods = [
        {"method": m, "budget": b, "map": {"DSVR": v}, "bytes_per_video": 2048.0, "coverage": 1.0}
        for m, b, v in others
    ]
    report: Any = {"methods": methods}
    found = figures_in_service([], 7, report, 0.3)
    assert found is not None
    assert (dict(found.map), found.measured_by) == ({"DSVR": 0.7}, "its evaluation")
    (row,) = version_rows([VERSION], {7: found})
    assert (row["version"], row["is"], row["mAP DSVR"]) == (7, "challenger", 0.7)
    judged = figures_in_service([JUDGED], 7, report, 0.3)
    assert judged is not None
    assert (dict(judged.map), judged.measured_by) == ({"DSVR": 0.68}, "gates")
    assert figures_in_service([JUDGED], 7, report, 0.5) is None
    assert figures_in_service([], 7, None, 0.3) is None


def test_before_a_promotion_each_gate_has_its_limit_and_both_figures() -> None:
    limits = GateLimits(budget=0.3, map_tolerance=0.01, p95_query_s=2, bytes_per_video=10240)
    before = Figures({"DSVR": 0.7}, "gates", 1.5, 2048.0, 1.0)
    after = Figures({"DSVR": 0.8}, "its evaluation", None, 4096.0, 1.0)
    rows = {row["figure"]: row for row in promotion_rows(before, after, limits)}
    assert rows["mAP DSVR"] == {
        "figure": "mAP DSVR", "champion now": "0.700", "this version": "0.800", "gate": "at least 0.690",
    }  # fmt: skip
    assert rows["KiB a video"]["gate"] == "at most 10.0"
    assert rows["95 of 100 queries within, s"]["this version"] == "measured by the run"
    assert {row["champion now"] for row in promotion_rows(None, None, limits)} == {"-"}


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
