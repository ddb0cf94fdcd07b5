"""The page Home: figures, attention, services, runs, and the way out of an empty workspace."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dns_apps.service.client_errors import ServiceUnreachableError, problem_error
from dns_apps.service.schemas import Problem
from dns_ops.platform.supervisor import ServiceState
from flows.records import FlowRun
from flows.server import FlowServerError

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]
NOW = datetime(2026, 5, 1, tzinfo=UTC)
RUN = FlowRun(
    "id-1", "brave-owl", "", "RUNNING", "Running", "", NOW, NOW, NOW + timedelta(seconds=75), flow="demo"
)


@pytest.fixture(autouse=True)
def _platform(monkeypatch: pytest.MonkeyPatch) -> None:
    states = (
        ServiceState("prefect", "running", "http://127.0.0.1:4200", 7),
        ServiceState("mlflow", "stopped", "", 0),
    )
    monkeypatch.setattr("dashboards.pages.home.service_states", lambda: states)
    monkeypatch.setattr("dashboards.pages.home.last_runs", lambda: [RUN])


def down() -> Any:
    raise FlowServerError("the Prefect server does not answer; `dns up` starts it")


@pytest.mark.usefixtures("fake")
def test_figures_services_and_runs_are_shown(opened: Opened, texts: Texts) -> None:
    app = opened("home")
    assert [metric.value for metric in app.metric][:2] == ["88", "v2"]
    assert "Version 3 of the index" in texts(app)
    assert app.table[0].value["service"].tolist() == ["prefect", "mlflow"]
    assert app.table[1].value["took"].tolist() == ["1:15.0"]


@pytest.mark.usefixtures("fake")
def test_a_platform_that_is_down_leaves_the_rest_of_the_page(
    opened: Opened, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboards.pages.home.last_runs", down)
    app = opened("home")
    assert "dns up" in texts(app)
    assert app.metric[0].value == "88"


def test_an_empty_workspace_offers_the_demo_and_follows_it(
    fake: Any, opened: Opened, texts: Texts, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    fake.failure = problem_error(Problem(title="No index", status=503, detail="no index can be served"))
    (workspace / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.setattr("dashboards.pages.home.demo.start_demo", lambda: "id-1")
    monkeypatch.setattr("dashboards.pages.home.demo.run_now", lambda _id: (RUN, 3))
    monkeypatch.setattr("dashboards.pages.home.demo.stage_count", lambda: 12)
    app = opened("home")
    assert "This workspace is empty" in texts(app)
    assert "cannot be seen" not in texts(app)
    app.button(key="make-demo").click().run()
    assert "Making the demo" in texts(app)
    assert app.get("progress")[0].proto.text.startswith("3 of 12 steps")


def test_an_index_that_is_not_answered_for_needs_attention(
    fake: Any, opened: Opened, texts: Texts, workspace: Path
) -> None:
    fake.failure = ServiceUnreachableError("no answer")
    (workspace / "releases").mkdir()
    assert "The index cannot be seen" in texts(opened("home"))


def test_without_the_platform_the_command_is_named(
    fake: Any, opened: Opened, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    fake.failure = ServiceUnreachableError("no answer")
    (workspace / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.setattr("dashboards.pages.home.demo.start_demo", down)
    app = opened("home")
    app.button(key="make-demo").click().run()
    assert "make demo" in app.warning[0].value


def test_a_folder_that_is_no_workspace_says_how_to_begin(fake: Any, opened: Opened, texts: Texts) -> None:
    fake.failure = ServiceUnreachableError("no answer")
    assert "dns index build" in texts(opened("home"))
