"""Stages that train go to workers with a GPU, if the pool ``gpu`` has one."""

import time
from dataclasses import asdict
from types import TracebackType
from typing import Self
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, WorkPoolStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from dns_ops.dag import PipelineError
from dns_ops.pipeline.remote_step import Handover
from dns_ops.pipeline.step_runner import WrongInputError

POOL = "gpu"
DEPLOYMENT = "stage/stage"
TRAINING_STAGES = frozenset(("train_teacher", "train_student", "train_selector"))
"""Stages that read nothing but outputs of others, and that a GPU makes much faster."""

_PAUSE_S = 2.0


def gpu_worker_online() -> bool:
    """Whether the server knows the pool, the deployment for it, and a worker that is there."""
    with get_client(sync_client=True) as client:
        try:
            client.read_deployment_by_name(DEPLOYMENT)
            return client.read_work_pool(POOL).status == WorkPoolStatus.READY
        except ObjectNotFound:
            return False


class GpuPool:
    """Runs stages on the pool's workers; those that still run when the block ends are cancelled."""

    def __init__(self) -> None:
        self._running: set[UUID] = set()

    def run(self, name: str, run_id: str, handover: Handover) -> None:
        """Run a stage on the GPU pool and wait for it.

        Args:
            name: stage, or ``stage@item``.
            run_id: the parent run in MLflow; empty for none.
            handover: what the worker must know.

        Raises:
            WrongInputError: the stage said that its input is wrong.
            PipelineError: it failed in any other way, or was cancelled.
        """
        asked = {"name": name, "run_id": run_id, "handover": asdict(handover)}
        with get_client(sync_client=True) as client:
            deployment = client.read_deployment_by_name(DEPLOYMENT)
            run = client.create_flow_run_from_deployment(deployment.id, parameters=asked, name=name)
            self._running.add(run.id)
            while not (run.state and run.state.is_final()):
                time.sleep(_PAUSE_S)
                run = client.read_flow_run(run.id)
        self._running.discard(run.id)
        _require_success(name, run)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with get_client(sync_client=True) as client:
            for run_id in self._running:
                client.set_flow_run_state(run_id, Cancelling(), force=True)


def _require_success(name: str, run: FlowRun) -> None:
    if run.state and run.state.is_completed():
        return
    said = (run.state.message if run.state else "") or "no reason was given"
    kind = WrongInputError if WrongInputError.__name__ in said else PipelineError
    raise kind(f"{name}: on a worker of the pool {POOL}: {said}")
