"""The page Trade-offs: curves of the chosen runs, a table and a calculator."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.data import records
from dns_ops.tracking.run_queries import RunRecord
from tests.dashboards.panels.test_estimate import report as measured_report

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]


def run(name: str) -> RunRecord:
    return RunRecord(
        name * 8, "evaluate", "FINISHED", datetime(2026, 5, 1, tzinfo=UTC), 9.0, "", "", "", {}, {}
    )


def row(method: str, budget: float | None, found: float, seconds: float, size: float) -> dict[str, Any]:
    given = {"map": {"DSVR": found}, "seconds_per_query": seconds, "bytes_per_video": size}
    return {"method": method, "budget": budget, **given}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row("coarse", None, 0.8, 0.004, 2048), row("dns_fine_binary", 0.3, 0.9, 0.02, 20480)]
    monkeypatch.setattr(records, "evaluations", lambda: [run("a"), run("b")])
    monkeypatch.setattr(records, "report", lambda _: {**measured_report(), "methods": rows})
    monkeypatch.setattr(records, "run_params", lambda _: {})
    monkeypatch.setattr(records, "extraction_speed", lambda _: 10.0)
    monkeypatch.setattr(records, "mean_seconds", lambda _: 60.0)


@pytest.mark.usefixtures("fake", "recorded")
def test_runs_stand_side_by_side_and_the_calculator_starts_from_the_usual_way(
    opened: Opened, texts: Texts
) -> None:
    app = opened("tradeoffs")
    assert not app.exception
    assert len(app.dataframe[0].value) == 2
    assert [metric.label for metric in app.metric] == [
        "Storage", "A video takes", "Memory", "Time a query", "Time to index",
    ]  # fmt: skip
    app.multiselect(key="runs").set_value(app.multiselect(key="runs").options).run()
    assert len(app.dataframe[0].value) == 4
    app.number_input(key="price").set_value(2.0).run()
    assert app.metric[-1].label == "Cost of indexing"
    assert "other videos than this workspace" in texts(app)


@pytest.mark.usefixtures("fake")
def test_without_a_run_the_page_says_how_to_make_one(
    opened: Opened, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "evaluations", list)
    app = opened("tradeoffs")
    assert not app.exception
    assert "dns reproduce" in texts(app)
