"""What a Prefect server must know before a worker starts: pools, limits, the deployments of prefect.yaml."""

import os
import subprocess
import sys
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import State, StateType
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Cancelled, Crashed

from dns_ops.settings import load_settings
from flows.gpu_pool import POOL
from flows.processes import is_gone
from flows.stage import GPU_LIMIT

POOLS = ("cpu", POOL)
# A flow ends with its worker, and takes its stages with it; a retry then resumes.
_COMMAND = "python -m dns_ops.pipeline.guarded_process python -m flows.launch"
JOB_TEMPLATE = {
    "job_configuration": {"command": _COMMAND, "stream_output": True},
    "variables": {"type": "object", "properties": {}},
}
"""What a worker runs. No run can set any of it: a command, variables or a folder from a request would be
what anybody who reaches the server has run here. Without ``env`` in it, `env` of a run is not merged."""


def main() -> int:
    """Make them on the server of ``PREFECT_API_URL``; doing so again changes nothing."""
    load_settings(Path.cwd())
    with get_client(sync_client=True) as client:
        prepare_server(client)
        mark_crashed(client)
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    return subprocess.run(command, env=dict(os.environ), check=False).returncode  # noqa: S603


def prepare_server(client: SyncPrefectClient) -> None:
    """Create the work pools on the server, and the limit of one GPU step at a time."""
    for pool in POOLS:
        try:
            asked = WorkPoolCreate(name=pool, type="process", base_job_template=JOB_TEMPLATE)
            client.create_work_pool(asked)
        except ObjectAlreadyExists:
            client.update_work_pool(pool, WorkPoolUpdate(base_job_template=JOB_TEMPLATE))
    client.upsert_global_concurrency_limit_by_name(GPU_LIMIT, 1)


def mark_crashed(client: SyncPrefectClient) -> int:
    """How many runs were open though their process on this machine is gone; they are over from now on."""
    is_open = FlowRunFilterStateType(any_=[StateType.PENDING, StateType.RUNNING, StateType.CANCELLING])
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=is_open)))
    gone = [run for run in runs if is_gone(run.infrastructure_pid or "")]
    for run in gone:
        state: State[None] = Crashed(message="its process is gone; a retry resumes")
        if run.state_type == StateType.CANCELLING:
            state = Cancelled()
        client.set_flow_run_state(run.id, state, force=True)
    return len(gone)


if __name__ == "__main__":
    sys.exit(main())
