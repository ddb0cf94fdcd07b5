"""Runs as the dashboard sees them, on a real server."""

import pytest
from prefect import flow, task

from dns_core.errors import InputError
from flows.runs import PlatformError, prefect_server, read_run, recent_runs, start_run


@task
def _step() -> None:
    return


@flow(name="seen")
def seen(fail: bool = False) -> None:
    """Two tasks, and an error where one is wanted."""
    _step()
    _step()
    if fail:
        raise ValueError("as was wanted")


def test_runs_are_listed_the_newest_first_with_their_end() -> None:
    seen()
    with pytest.raises(ValueError, match="as was wanted"):
        seen(fail=True)
    last, first = (run for run in recent_runs(limit=20) if run.flow == "seen")
    assert (first.state, last.state) == ("COMPLETED", "FAILED")
    assert "as was wanted" in last.message
    assert last.started_at is not None
    assert read_run(first.id).n_tasks == 2


def test_an_unknown_run_or_deployment_is_named() -> None:
    with pytest.raises(InputError, match="no run"):
        read_run("00000000-0000-0000-0000-000000000000")
    with pytest.raises(InputError, match="demo/demo"):
        start_run("demo/demo")


def test_a_server_that_is_down_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.runs.connection_problem", lambda _url: "does not answer")
    with pytest.raises(PlatformError, match="dns up"), prefect_server():
        pytest.fail("a server was found")
