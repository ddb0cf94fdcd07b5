"""The flow runs the steps that DVC names, in its order, and says of each how it went."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import StateType
from prefect.flows import load_flow_from_entrypoint
from prefect.states import Running
from prefect.workers.process import ProcessJobConfiguration

from dns_core.stages import STAGES
from dns_ops.dag import Step, read_dag
from flows.deployments import mark_crashed, prepare_server
from flows.gpu_pool import POOL, TRAINING_STAGES, gpu_worker_online
from flows.reproduce import LAST_OF_BUNDLE, reproduce, steps_up_to
from flows.stage import stage
from flows.steps import GPU_STAGES

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]


def task_states(flow_run_id: Any) -> dict[str, str]:
    chosen = FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id]))
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(flow_run_filter=chosen)
    return {run.name: run.state_name or "" for run in runs}


@pytest.mark.slow
def test_every_stage_is_a_task_and_what_is_up_to_date_is_cached(pipeline: Path) -> None:
    first = reproduce(return_state=True)
    assert first.is_completed()
    assert (pipeline / "third.txt").read_text() == "good"
    second = reproduce(return_state=True)
    states = [task_states(run.state_details.flow_run_id) for run in (first, second)]
    assert states[0] == dict.fromkeys(("first", "second", "third"), "Completed")
    assert states[1] == dict.fromkeys(("first", "second", "third"), "Cached")


@pytest.mark.slow
def test_wrong_input_fails_at_once_and_stops_what_comes_after(pipeline: Path) -> None:
    (pipeline / "given.txt").write_text("bad")
    state = reproduce(return_state=True)
    assert state.is_failed()
    assert "second: " in (state.message or "")
    assert "dns: it is bad" in (state.message or "")
    states = task_states(state.state_details.flow_run_id)
    assert states == {"first": "Completed", "second": "Failed", "third": "NotReady"}
    assert not (pipeline / "third.txt").exists()


@pytest.mark.slow
def test_a_run_whose_process_is_gone_is_marked_as_crashed() -> None:
    with get_client(sync_client=True) as client:
        prepare_server(client)
        prepare_server(client)
        gone, elsewhere = (client.create_flow_run(reproduce, state=Running()) for _ in range(2))
        client.update_flow_run(gone.id, infrastructure_pid=f"{socket.gethostname()}:4194303")
        client.update_flow_run(elsewhere.id, infrastructure_pid="another-machine:4194303")
        assert mark_crashed(client) == 1
        states = [client.read_flow_run(run.id).state for run in (gone, elsewhere)]
    assert [state.type for state in states if state] == [StateType.CRASHED, StateType.RUNNING]


def test_distill_makes_the_whole_bundle_and_no_index() -> None:
    names = [step.name for step in steps_up_to(read_dag(ROOT), LAST_OF_BUNDLE)]
    assert "train_selector@fine_binary" in names
    assert "train_student@coarse" in names
    assert "configure_index" in names
    assert not {"build_index", "evaluate"} & set(names)
    chain = [Step("a", (), ()), Step("b", ("a",), ()), Step("c", (), ())]
    assert [step.name for step in steps_up_to(chain, ["b"])] == ["a", "b"]


def test_stages_on_a_gpu_are_stages() -> None:
    assert set(STAGES) >= GPU_STAGES > TRAINING_STAGES


@pytest.mark.slow
def test_training_goes_to_the_pool_of_gpus_while_it_has_a_worker() -> None:
    assert not gpu_worker_online()
    with get_client(sync_client=True) as client:
        prepare_server(client)
        client.create_deployment(client.create_flow(stage), "stage", work_pool_name=POOL)
    assert not gpu_worker_online()
    with get_client(sync_client=True) as client:
        client.send_worker_heartbeat(POOL, "a worker")
    assert gpu_worker_online()


@pytest.mark.parametrize("row", DEPLOYMENTS, ids=lambda row: row["name"])
def test_a_deployment_loads_the_flow_of_its_name(
    row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    assert load_flow_from_entrypoint(row["entrypoint"]).name == row["name"]


@pytest.mark.slow
def test_no_run_sets_what_a_worker_executes() -> None:
    """A command, variables and a folder that a request names change nothing of the job."""
    asked = {"command": "touch owned", "env": {"LD_PRELOAD": "x.so"}, "working_dir": "/"}
    with get_client(sync_client=True) as client:
        prepare_server(client)
        template = client.read_work_pool("cpu").base_job_template

    def configured() -> ProcessJobConfiguration:
        coming = ProcessJobConfiguration.from_template_and_values(base_job_template=template, values=asked)
        job: ProcessJobConfiguration = asyncio.run(coming)
        return job

    with ThreadPoolExecutor(1) as elsewhere:  # other tests leave an event loop running in this thread
        job = elsewhere.submit(configured).result()
    assert job.command is not None
    assert job.command.startswith("python -m dns_ops.pipeline.guarded_process python -m flows.launch")
    assert "LD_PRELOAD" not in job.env
    assert job.working_dir is None
