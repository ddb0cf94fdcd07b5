"""Runs of flows as rows, words and shares."""

from collections.abc import Sequence
from typing import Any

from dashboards.formats import ago, printable
from flows.records import FlowRun, TaskRun

STATES: dict[str, tuple[str, str]] = {
    "SCHEDULED": ("schedule", "gray"),
    "PENDING": ("hourglass_top", "gray"),
    "RUNNING": ("sync", "blue"),
    "COMPLETED": ("check_circle", "green"),
    "FAILED": ("error", "red"),
    "CRASHED": ("error", "red"),
    "CANCELLING": ("cancel", "orange"),
    "CANCELLED": ("cancel", "orange"),
    "PAUSED": ("pause_circle", "gray"),
}
"""Icon and colour by kind of state."""

_DONE = frozenset(("COMPLETED",))


def run_rows(runs: Sequence[FlowRun], flows: dict[str, str]) -> list[dict[str, Any]]:
    """A row a run for a table.

    Args:
        runs: in the order of the rows.
        flows: names of the deployments by their ids.
    """
    return [
        {
            "flow": flows.get(run.deployment_id, ""),
            "run": run.name,
            "state": run.state_name,
            "asked for": ago(run.created),
            "seconds": run.seconds,
            "parameters": ", ".join(f"{name}={value}" for name, value in run.parameters.items()),
            "message": printable(run.message),
        }
        for run in runs
    ]


def task_rows(tasks: Sequence[TaskRun]) -> list[dict[str, Any]]:
    """A row a task for a table."""
    return [{"task": row.name, "state": row.state_name, "seconds": row.seconds} for row in tasks]


def progress_text(run: FlowRun, tasks: Sequence[TaskRun], reported: float | None) -> tuple[float, str]:
    """Share in [0, 1] of a run that is done, and the words for it.

    Args:
        run: that is asked about.
        tasks: of it that have begun.
        reported: the share that the flow itself reports; None if it reports none.
    """
    if run.state == "COMPLETED":
        return 1.0, "done"
    done = sum(row.state in _DONE for row in tasks)
    running = [row.name for row in tasks if row.state == "RUNNING"]
    total = max(len(tasks), round(done / reported)) if reported else len(tasks)
    share = reported if reported is not None else done / total if total else 0.0
    counted = f"{done} of {total} tasks done" if total else "no task has begun"
    return share, counted + (f", now {', '.join(running)}" if running else "")
