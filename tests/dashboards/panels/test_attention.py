from datetime import UTC, datetime
from typing import Any

from dashboards.panels.attention import notices
from dns_ops.platform.supervisor import ServiceState
from flows.records import FlowRun

RUNS = ServiceState("query", "running", "http://127.0.0.1:1", 7)


def glance(flow: str, state: str, message: str) -> FlowRun:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    return FlowRun("id", "brave-owl", "", state, state.title(), message, now, now, None, flow=flow)


def test_a_workspace_in_order_needs_nothing(fake: Any) -> None:
    versions = tuple(row.model_copy(update={"served": row.newest}) for row in fake.index_state.versions)
    clean = {"versions": versions, "n_removed": 0, "n_quarantined": 0}
    assert notices(fake.index_state.model_copy(update=clean), [RUNS], []) == []


def test_the_worst_stands_first(fake: Any) -> None:
    crashed = ServiceState("mlflow", "crashed", "", 0)
    found = notices(fake.index_state, [RUNS, crashed], [glance("promote", "FAILED", "a gate\nfailed")])
    assert [notice.tone for notice in found] == ["error", "warning", "warning", "info", "info"]
    assert "mlflow" in found[0].what
    assert found[1].todo == "a gate"


def test_a_flow_that_went_well_since_is_forgiven() -> None:
    runs = [glance("demo", "COMPLETED", ""), glance("demo", "FAILED", "disk full")]
    assert notices(None, [], runs) == []


def test_what_a_flow_says_of_its_end_is_shown_as_text() -> None:
    (notice,) = notices(None, [], [glance("demo", "FAILED", "<b>![x](y)")])
    assert notice.todo == r"\<b\>\!\[x\]\(y\)"
