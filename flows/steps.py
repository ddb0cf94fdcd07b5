"""The steps of the DAG as Prefect tasks: in DVC's order, side by side where nothing forbids."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.concurrency.sync import concurrency
from prefect.futures import PrefectFuture, as_completed
from prefect.states import Completed
from prefect.tasks import Task, exponential_backoff

from dns_ops.dag import PipelineError, Step
from dns_ops.guarded import Children
from dns_ops.settings import Settings
from dns_ops.steps import StepRunner, WrongInputError, steps_up_to_date
from flows.artifacts import told_progress

GPU_LIMIT = "dns-gpu"
"""The concurrency limit that steps on a GPU share; a server without it sets no limit."""

GPU_STAGES = frozenset(
    ("extract_features", "train_teacher", "score_pairs", "train_student", "train_selector")
)
"""Stages that a GPU makes faster; the others leave it to them."""


def run_steps(root: Path, steps: Sequence[Step], run_id: str, settings: Settings) -> None:
    """All ``steps`` are up to date; each was a task, and those after a failed one did not run.

    Args:
        root: the workspace.
        steps: in order.
        run_id: the parent run in MLflow; empty for none.
        settings: where to run.

    Raises:
        PipelineError: a step failed; the message names each that did.
    """
    fresh = steps_up_to_date(root, steps)
    on_gpu = settings.torch_device() != "cpu"
    futures: dict[str, PrefectFuture[Any]] = {}
    with Children() as children:
        runner = StepRunner(root, run_id, children, settings.stage_timeout_s)
        for step in steps:
            futures[step.name] = _task_of(step).submit(
                runner,
                step.name,
                up_to_date=step.name in fresh,
                on_gpu=on_gpu and _stage(step) in GPU_STAGES,
                wait_for=[futures[name] for name in step.needs if name in futures],
            )
        with told_progress(len(futures)) as tell:
            for _ in as_completed(list(futures.values())):
                tell()
    states = {name: future.state for name, future in futures.items()}
    failed = [
        f"{name}: {state.message}"
        for name, state in states.items()
        if state.is_failed() or state.is_crashed()
    ]
    if failed:
        raise PipelineError("; ".join(failed))


def _task_of(step: Step) -> Task[..., State[object]]:
    return _step.with_options(
        name=_stage(step),
        task_run_name=step.name,
        retries=2,
        retry_delay_seconds=exponential_backoff(backoff_factor=5),
        retry_jitter_factor=0.5,
        retry_condition_fn=_worth_another_try,
    )


def _worth_another_try(_task: Task[..., object], _run: TaskRun, state: State[object]) -> bool:
    """A killed process or a full disk may do better next time; input that is wrong stays so."""
    try:
        state.result()
    except WrongInputError:
        return False
    except Exception:  # noqa: BLE001 - whatever it was, it was not the input
        return True
    return False


@task(cache_policy=NO_CACHE, persist_result=False)
def _step(runner: StepRunner, name: str, *, up_to_date: bool, on_gpu: bool) -> State[object]:
    if up_to_date:
        return Completed(name="Cached", message="up to date")
    logger = get_run_logger()
    with concurrency(GPU_LIMIT) if on_gpu else nullcontext():
        ran = runner.run(name, logger.info)
    return Completed(message="ran") if ran else Completed(name="Cached", message="restored")


def _stage(step: Step) -> str:
    return step.name.partition("@")[0]
