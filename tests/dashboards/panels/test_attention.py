from typing import Any

from dashboards.panels.attention import RunGlance, notices
from dns_ops.platform.supervisor import ServiceState

RUNS = ServiceState("query", "running", "http://127.0.0.1:1", 7)


def test_a_workspace_in_order_needs_nothing(fake: Any) -> None:
    versions = tuple(row.model_copy(update={"served": row.newest}) for row in fake.index_state.versions)
    clean = {"versions": versions, "n_removed": 0, "n_quarantined": 0}
    assert notices(fake.index_state.model_copy(update=clean), [RUNS], []) == []


def test_the_worst_stands_first(fake: Any) -> None:
    crashed = ServiceState("mlflow", "crashed", "", 0)
    found = notices(fake.index_state, [RUNS, crashed], [RunGlance("promote", "FAILED", "a gate\nfailed")])
    assert [notice.tone for notice in found] == ["error", "warning", "warning", "info", "info"]
    assert "mlflow" in found[0].what
    assert found[1].todo == "a gate"


def test_a_flow_that_went_well_since_is_forgiven() -> None:
    runs = [RunGlance("demo", "COMPLETED", ""), RunGlance("demo", "FAILED", "disk full")]
    assert notices(None, [], runs) == []


def test_what_a_flow_says_of_its_end_is_shown_as_text() -> None:
    (notice,) = notices(None, [], [RunGlance("demo", "FAILED", "<b>![x](y)")])
    assert notice.todo == r"\<b\>\!\[x\]\(y\)"
