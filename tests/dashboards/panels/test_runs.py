"""Runs of flows as rows and words."""

from datetime import UTC, datetime, timedelta

import pytest

from dashboards.panels.runs import progress_text, run_rows
from flows.records import FlowRun, TaskRun

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def run(state: str, **changes: object) -> FlowRun:
    given = {
        "run_id": "1", "name": "brave-cat", "deployment_id": "d", "state": state, "state_name": state.title(),
        "message": "", "created": NOW, "started": NOW, "ended": None, "parameters": {"n": 1},
    }  # fmt: skip
    return FlowRun(**{**given, **changes})  # type: ignore[arg-type]


def task(name: str, state: str) -> TaskRun:
    return TaskRun(name, state, state.title(), NOW, 1.0)


def test_a_run_that_goes_on_is_timed_to_now() -> None:
    begun = datetime.now(UTC) - timedelta(seconds=5)
    assert run("RUNNING", started=begun).seconds == pytest.approx(5, abs=2)
    assert run("SCHEDULED", started=None).seconds is None
    assert run("COMPLETED", ended=NOW + timedelta(seconds=9)).seconds == 9


def test_progress_counts_tasks_of_all_that_there_will_be() -> None:
    tasks = [task("a", "COMPLETED"), task("b", "RUNNING")]
    assert progress_text(run("RUNNING"), tasks, 0.25) == (0.25, "1 of 4 tasks done, now b")
    assert progress_text(run("RUNNING"), tasks, None) == (0.5, "1 of 2 tasks done, now b")
    assert progress_text(run("PENDING"), [], None) == (0.0, "no task has begun")
    assert progress_text(run("COMPLETED"), tasks, None)[0] == 1.0


def test_a_row_names_the_flow_and_keeps_a_message_on_one_line() -> None:
    (row,) = run_rows([run("FAILED", message="a\nb")], {"d": "promote"})
    assert (row["flow"], row["parameters"]) == ("promote", "n=1")
    assert "\n" not in row["message"]
