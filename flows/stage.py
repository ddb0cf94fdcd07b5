"""Flow ``stage``: one stage of the pipeline on a worker with a GPU, in this workspace or another."""

from contextlib import nullcontext
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.concurrency.sync import concurrency

from dns_core.errors import InputError
from dns_ops.pipeline.guarded_process import Children
from dns_ops.pipeline.remote_step import Handover, home_of, import_step, push_outputs
from dns_ops.pipeline.step_runner import StepRunner
from dns_ops.settings import load_settings
from flows.workspace import workspace_of_run

GPU_LIMIT = "dns-gpu"
"""The concurrency limit that stages on a GPU share; a server without it sets no limit."""


def workspace_of_worker() -> dict[str, str]:
    """Folder in which `dns worker` was started, for the pull step of a deployment.

    Raises:
        InputError: something else started the worker.
    """
    folder = load_settings(Path.cwd()).workspace
    if not folder:
        raise InputError("a worker of the pool gpu is started by `dns worker`, in a workspace")
    return {"directory": folder}


@flow(name="stage")
def stage(name: str, run_id: str, handover: Handover) -> None:
    """Run one stage for a flow that waits for it; flows start this, not people.

    Args:
        name: of the stage, or ``stage@item``.
        run_id: the parent run in MLflow; empty for none.
        handover: the workspace that the stage is of.
    """
    root = Path.cwd()
    settings = load_settings(root)
    say = get_run_logger().info
    shared = handover.home == home_of(root)
    on_gpu = settings.torch_device() != "cpu"
    # Who shares the workspace is under the lock of the flow that waits.
    with nullcontext() if shared else workspace_of_run(root), Children() as children:
        if not shared:
            import_step(root, handover, name)
        with concurrency(GPU_LIMIT) if on_gpu else nullcontext():
            StepRunner(root, run_id, children, settings.stage_timeout_s).run(name, say)
        if not shared:
            push_outputs(root, name)
