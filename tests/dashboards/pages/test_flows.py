"""The page Flows: a form by type, the run that it starts, and what is said when the platform is down."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.data import records
from dashboards.data.service import workspace
from dns_ops.pipeline.workspace_lock import Holder, workspace_lock
from flows.records import WAITING, Deployment, FlowRun, LogLine, Schedule, TaskRun

Opened = Callable[..., AppTest]
Texts = Callable[[AppTest], str]

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RUN = "11111111-1111-1111-1111-111111111111"
SCHEMA = {
    "properties": {
        "source": {"type": "string", "position": 0, "title": "source"},
        "collection": {"enum": ["train", "queries"], "type": "string", "default": "train", "position": 1},
    },
    "required": ["source"],
}


class FakePrefect:
    """A Prefect server that notes what it is told."""

    api_url = "http://127.0.0.1:4200/api"

    def __init__(self) -> None:
        self.requests: list[tuple[Any, ...]] = []
        self.state = "RUNNING"
        self.state_name = ""

    def deployments(self) -> list[Deployment]:
        schedules = (Schedule("s1", "0 3 * * * (UTC)", active=True),)
        return [Deployment("d1", "ingest", "Copy new videos.", {}, SCHEMA, schedules)]

    def start(self, deployment_id: str, parameters: dict[str, Any]) -> FlowRun:
        self.requests.append(("start", deployment_id, parameters))
        return self.run(RUN)

    def run(self, run_id: str) -> FlowRun:
        name = self.state_name or self.state.title()
        message = "the run calm-owl works here; this run waits for it" if self.state_name else ""
        return FlowRun(run_id, "brave-cat", "d1", self.state, name, message, NOW, NOW, None)

    def runs(self, *_: Any, **__: Any) -> list[FlowRun]:
        return [self.run(RUN)]

    def tasks(self, _: str) -> list[TaskRun]:
        return [TaskRun("ingest_videos", "COMPLETED", "Completed", NOW, 3.0)]

    def progress(self, _: str) -> float | None:
        return 0.5

    def logs(self, _: str) -> list[LogLine]:
        return [LogLine(NOW, "info", "3 videos <b>added</b>")]

    def cancel(self, run_id: str) -> None:
        self.requests.append(("cancel", run_id))

    def retry(self, run_id: str) -> None:
        self.requests.append(("retry", run_id))

    def set_schedule(self, deployment_id: str, schedule_id: str, *, active: bool) -> None:
        self.requests.append(("schedule", deployment_id, schedule_id, active))

    def add_schedule(self, deployment_id: str, cron: str) -> None:
        self.requests.append(("cron", deployment_id, cron))


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    server = FakePrefect()
    monkeypatch.setattr(records, "flow_server", lambda: server)
    return server


@pytest.mark.usefixtures("fake")
def test_a_form_starts_a_run_with_typed_parameters(prefect: FakePrefect, opened: Opened) -> None:
    app = opened("flows")
    assert not app.exception
    assert app.selectbox(key="field-ingest-collection").options == ["train", "queries"]
    app.button(key="run-flow").click().run()
    assert prefect.requests == []
    app.text_input(key="field-ingest-source").set_value("/videos")
    app.button(key="run-flow").click().run()
    assert prefect.requests == [("start", "d1", {"source": "/videos"})]
    assert app.query_params["run"] == RUN


@pytest.mark.usefixtures("fake")
def test_a_run_shows_progress_and_log_and_is_cancelled_or_retried(
    prefect: FakePrefect, opened: Opened, texts: Texts
) -> None:
    app = opened("flows", run=RUN)
    assert not app.exception
    assert "3 videos <b>added</b>" in app.code[0].value
    assert "brave" in texts(app)
    app.button(key="cancel-run").click().run()
    assert prefect.requests == [("cancel", RUN)]
    prefect.state = "FAILED"
    app.run()
    app.button(key="retry-run").click().run()
    assert prefect.requests[-1] == ("retry", RUN)


@pytest.mark.usefixtures("fake")
def test_a_run_that_waits_says_for_whom_and_leads_there(
    prefect: FakePrefect, opened: Opened, texts: Texts
) -> None:
    prefect.state_name = WAITING
    other = RUN.replace("1", "2")
    with workspace_lock(workspace(), holder=Holder("the run calm-owl of reproduce", other)):
        app = opened("flows", run=RUN)
        assert "waits for it" in texts(app)
        app.button(key="open-holder").click().run()
    assert app.query_params["run"] == other


@pytest.mark.usefixtures("fake")
def test_a_schedule_is_switched_off(prefect: FakePrefect, opened: Opened) -> None:
    app = opened("flows")
    app.toggle(key="schedule-s1").set_value(False).run()
    assert ("schedule", "d1", "s1", False) in prefect.requests


@pytest.mark.usefixtures("fake")
def test_without_a_platform_the_page_says_how_to_start_it(
    opened: Opened, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    app = opened("flows")
    assert not app.exception
    assert "dns up" in texts(app)
