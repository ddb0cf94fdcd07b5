"""The steps of the DAG as Prefect tasks: in DVC's order, side by side where nothing forbids."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
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
from dns_ops.pipeline.guarded_process import Children
from dns_ops.pipeline.remote_step import export_step, pull_run_cache
from dns_ops.pipeline.step_runner import StepRunner, WrongInputError, steps_up_to_date
from dns_ops.settings import Settings
from flows.artifacts import progress_artifact
from flows.gpu_pool import POOL, TRAINING_STAGES, GpuPool, gpu_worker_online
from flows.stage import GPU_LIMIT

GPU_STAGES = frozenset(
    ("extract_features", "train_teacher", "score_pairs", "train_student", "train_selector")
)
"""Stages that a GPU makes faster; the others leave it to them."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where steps run: here, or on the workers of the GPU pool, which is None if it has none."""

    runner: StepRunner
    pool: GpuPool | None
    gpu_here: bool

    def run(self, name: str, say: Callable[[str], object]) -> bool:
        """Whether the step had to run."""
        stage = name.partition("@")[0]
        if self.pool is not None and stage in TRAINING_STAGES:
            return self._run_on_pool(self.pool, name, say)
        with concurrency(GPU_LIMIT) if self.gpu_here and stage in GPU_STAGES else nullcontext():
            return self.runner.run(name, say)

    def _run_on_pool(self, pool: GpuPool, name: str, say: Callable[[str], object]) -> bool:
        root = self.runner.root
        say(f"{name} runs on a worker of the pool {POOL}")
        pool.run(name, self.runner.run_id, export_step(root, name))
        pull_run_cache(root)
        self.runner.run(name, say, pull=True)
        return True


def run_steps(root: Path, steps: Sequence[Step], run_id: str, settings: Settings) -> None:
    """Bring all ``steps`` up to date, each as a task; those after a failed one do not run.

    Args:
        root: the workspace.
        steps: in order.
        run_id: the parent run in MLflow; empty for none.
        settings: where to run.

    Raises:
        PipelineError: a step failed; the message names each that did.
    """
    fresh = steps_up_to_date(root, steps)
    futures: dict[str, PrefectFuture[Any]] = {}
    with Children() as children, GpuPool() as pool:
        runner = StepRunner(root, run_id, children, settings.stage_timeout_s)
        places = _Places(
            runner, pool if gpu_worker_online() else None, gpu_here=settings.torch_device() != "cpu"
        )
        for step in steps:
            futures[step.name] = _task_of(step).submit(
                places,
                step.name,
                up_to_date=step.name in fresh,
                wait_for=[futures[name] for name in step.needs if name in futures],
            )
        with progress_artifact(len(futures)) as tell:
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
    """Retry after a killed process or a full disk, but not after wrong input."""
    try:
        state.result()
    except WrongInputError:
        return False
    except Exception:  # noqa: BLE001 - any other failure may be temporary
        return True
    return False


@task(cache_policy=NO_CACHE, persist_result=False)
def _step(places: _Places, name: str, *, up_to_date: bool) -> State[object]:
    if up_to_date:
        return Completed(name="Cached", message="up to date")
    ran = places.run(name, get_run_logger().info)
    return Completed(message="ran") if ran else Completed(name="Cached", message="restored")


def _stage(step: Step) -> str:
    return step.name.partition("@")[0]
