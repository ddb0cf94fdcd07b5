"""Flows ``reproduce`` and ``distill``: the offline pipeline, read from DVC, a task a stage."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from prefect import flow
from prefect.futures import PrefectFuture
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from dns_core.params import load_params
from dns_ops.dag import Step, read_dag
from dns_ops.pipeline.remote_step import push_everything
from dns_ops.pipeline.reproduce import write_overrides
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.settings import load_settings
from flows.artifacts import publish_report
from flows.steps import run_steps
from flows.workspace import workspace_of_run

LAST_OF_BUNDLE = ("train_selector", "configure_index")


def side_by_side() -> TaskRunner[PrefectFuture[Any]]:
    """A runner that has four cores for each stage that runs at the same time."""
    n_stages = max(1, (os.cpu_count() or 1) // 4)
    return cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=n_stages))


@flow(name="reproduce", task_runner=side_by_side())
def reproduce(overrides: list[str] | None = None, push: bool = False) -> None:
    """Run every stage whose inputs, code or params changed; a stage that is up to date costs nothing.

    Args:
        overrides: ``stage.key=value``, written into params.yaml before anything runs.
        push: what was made to DVC's remote, for other machines.
    """
    run_pipeline(Path.cwd(), overrides or [], last=(), push=push)


@flow(name="distill", task_runner=side_by_side())
def distill(overrides: list[str] | None = None, push: bool = False) -> None:
    """Train the bundle, teacher to selectors, without building an index or measuring.

    Args:
        overrides: ``stage.key=value``, written into params.yaml before anything runs.
        push: what was made to DVC's remote, for other machines.
    """
    run_pipeline(Path.cwd(), overrides or [], last=LAST_OF_BUNDLE, push=push)


def run_pipeline(root: Path, overrides: Sequence[str], *, last: Sequence[str], push: bool = False) -> None:
    """Run every stage whose inputs, code or params changed, as tasks of the flow that calls this.

    Args:
        root: the workspace.
        overrides: ``stage.key=value``, written into params.yaml before anything runs.
        last: stages to end with; every stage runs if empty.
        push: push what was made to DVC's remote.
    """
    with workspace_of_run(root):
        settings = load_settings(root)
        params = load_params(root / "params.yaml", overrides)
        if overrides:
            write_overrides(root / "params.yaml", overrides)
        steps = read_dag(root)
        run_id = ""
        try:
            with reproduction(root, settings, params.model_dump()) as run_id:
                run_steps(root, steps_up_to(steps, last) if last else steps, run_id, settings)
            if push:
                push_everything(root)
        finally:  # a run that stopped has the most to show
            publish_report(root, settings, run_id)


def steps_up_to(steps: Sequence[Step], stages: Sequence[str]) -> list[Step]:
    """Steps of the named stages and all that they depend on, in order."""
    wanted = {step.name for step in steps if step.name.partition("@")[0] in stages}
    for step in reversed(steps):
        if step.name in wanted:
            wanted.update(step.needs)
    return [step for step in steps if step.name in wanted]
