"""What a real Prefect server is asked and told."""

import json

import pytest
from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_URL
from prefect.utilities.callables import parameter_schema

from dns_core.errors import InputError
from dns_ops.quality.page import SHOWN_ROWS
from flows.artifacts import progress_artifact, publish_verdicts
from flows.server import FlowServer, FlowServerError


@flow(name="counted")
def counted(n: int = 2) -> int:
    """Do so many parts.

    Args:
        n: how many.
    """
    with progress_artifact(n) as tell:
        tell()
    return n


@pytest.fixture
def server() -> FlowServer:
    return FlowServer(str(PREFECT_API_URL.value()))


@pytest.fixture
def deployment(server: FlowServer) -> str:
    with get_client(sync_client=True) as client:
        flow_id = client.create_flow(counted)
        client.create_deployment(
            flow_id,
            "counted",
            description="Count.",
            parameter_openapi_schema=parameter_schema(counted).model_dump(),
        )
    (found,) = (row for row in server.deployments() if row.name == "counted")
    assert found.description == "Count."
    assert found.schema["properties"]["n"]["type"] == "integer"
    return found.deployment_id


@pytest.mark.slow
def test_a_run_is_started_cancelled_and_retried(server: FlowServer, deployment: str) -> None:
    run = server.start(deployment, {"n": 3})
    assert (run.state, dict(run.parameters), run.is_over) == ("SCHEDULED", {"n": 3}, False)
    assert run.run_id in [row.run_id for row in server.runs(deployment)]
    with pytest.raises(InputError, match="not over"):
        server.retry(run.run_id)
    server.cancel(run.run_id)
    assert server.run(run.run_id).state == "CANCELLED"
    with pytest.raises(InputError, match="over already"):
        server.cancel(run.run_id)
    server.retry(run.run_id)
    assert server.run(run.run_id).state_name == "AwaitingRetry"
    assert (server.tasks(run.run_id), server.logs(run.run_id), server.progress(run.run_id)) == ([], [], None)


@pytest.mark.slow
def test_a_flow_tells_how_far_it_has_come(server: FlowServer) -> None:
    state = counted(n=4, return_state=True)
    run_id = str(state.state_details.flow_run_id)
    assert server.progress(run_id) == 0.25
    assert server.run(run_id).state == "COMPLETED"


@pytest.mark.slow
def test_schedules_are_added_switched_and_removed(server: FlowServer, deployment: str) -> None:
    with pytest.raises(InputError, match="crontab"):
        server.add_schedule(deployment, "whenever")
    server.add_schedule(deployment, "0 3 * * *")

    def schedules() -> list[tuple[str, bool]]:
        (found,) = (row for row in server.deployments() if row.deployment_id == deployment)
        return [(row.schedule_id, row.active) for row in found.schedules]

    ((schedule_id, active),) = schedules()
    assert active
    server.set_schedule(deployment, schedule_id, active=False)
    assert schedules() == [(schedule_id, False)]
    server.remove_schedule(deployment, schedule_id)
    assert schedules() == []


def test_a_server_that_is_down_is_one_error() -> None:
    with pytest.raises(FlowServerError, match="does not answer"):
        FlowServer("http://127.0.0.1:9/api").deployments()


@flow(name="judged")
def judged(failing: int, page: str) -> None:
    """Publish one expectation that so many rows do not meet."""
    rows = [{"video_id": f"clip-{number}", "found": "no picture"} for number in range(failing)]
    expectation = {
        "meaning": "videos have pictures",
        "success": not failing,
        "rows": rows,
        "failing": failing,
    }
    suite = {"suite": "corpus", "part": "train", "expectations": [expectation]}
    publish_verdicts([{"name": "validate_data", "success": not failing, "suites": [suite]}], page)


@pytest.mark.slow
def test_what_validation_found_is_a_table_and_a_link_to_the_dashboard() -> None:
    judged(SHOWN_ROWS + 20, "http://127.0.0.1:8501/data?part=Quality")
    with get_client(sync_client=True) as client:
        shown = {artifact.key: str(artifact.data) for artifact in client.read_latest_artifacts()}
    rows = json.loads(shown["data-validation"])
    assert len(rows) == SHOWN_ROWS
    assert rows[-1] == {
        "suite": "corpus",
        "part": "train",
        "expected": "videos have pictures",
        "row": f"video_id clip-{SHOWN_ROWS - 1}, found no picture",
    }
    assert "(http://127.0.0.1:8501/data?part=Quality)" in shown["data-docs"]


@flow(name="seen")
def seen(fail: bool = False) -> None:
    """Two tasks, and an error where one is wanted."""
    _step()
    _step()
    if fail:
        raise ValueError("as was wanted")


@task
def _step() -> None:
    return


def test_last_runs_name_their_flow_and_how_they_ended(server: FlowServer) -> None:
    seen()
    with pytest.raises(ValueError, match="as was wanted"):
        seen(fail=True)
    last, first = (run for run in server.last_runs(limit=20) if run.flow == "seen")
    assert (first.state, last.state) == ("COMPLETED", "FAILED")
    assert "as was wanted" in last.message
    assert last.started is not None
    assert [task.state for task in server.tasks(first.run_id)] == ["COMPLETED", "COMPLETED"]


def test_an_unknown_deployment_is_named(server: FlowServer) -> None:
    with pytest.raises(InputError, match="demo/demo is not deployed"):
        server.start_named("demo/demo")
