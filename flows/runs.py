"""Runs of flows on the platform's Prefect server: what ran lately, starting one, following it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import PREFECT_API_URL

from dns_core.errors import DnsError, InputError
from dns_ops.http_probe import connection_problem

ENDED = frozenset({"COMPLETED", "FAILED", "CRASHED", "CANCELLED"})
"""Types of state that a run stays in."""


class PlatformError(DnsError):
    """The Prefect server does not answer, or not as it should."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of a flow.

    Attributes:
        id: of the run.
        flow: its flow's name.
        name: that Prefect gave it.
        state: type of its state, for example ``RUNNING``; `ENDED` has those that stay.
        message: of the state; says why a run failed.
        started_at: None before it began.
        duration_s: so far.
        n_tasks: tasks that ended well.
    """

    id: str
    flow: str
    name: str
    state: str
    message: str
    started_at: datetime | None
    duration_s: float
    n_tasks: int = 0


def recent_runs(limit: int = 10) -> tuple[RunRow, ...]:
    """The runs that began last, the newest first; then those that wait.

    Raises:
        PlatformError: the server does not answer.
    """
    with prefect_server() as client:
        runs = client.read_flow_runs(sort=FlowRunSort.START_TIME_DESC, limit=limit)
        names = _flow_names(client, runs)
        return tuple(_row(run, names) for run in runs)


def read_run(run_id: str) -> RunRow:
    """A run as it stands now, with the tasks that are done.

    Raises:
        InputError: there is no such run.
        PlatformError: the server does not answer.
    """
    with prefect_server() as client:
        try:
            run = client.read_flow_run(UUID(run_id))
        except (ObjectNotFound, ValueError) as error:
            raise InputError(f"there is no run {run_id}") from error
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[run.id]))
        tasks = client.read_task_runs(flow_run_filter=chosen)
        n_tasks = sum(task.state_type is not None and task.state_type.value == "COMPLETED" for task in tasks)
        return _row(run, _flow_names(client, [run]), n_tasks)


def start_run(deployment: str, parameters: Mapping[str, Any] | None = None) -> str:
    """Id of a new run of a deployment, which a worker takes up.

    Args:
        deployment: ``flow/deployment``, for example ``demo/demo``.
        parameters: of the flow.

    Raises:
        InputError: there is no such deployment.
        PlatformError: the server does not answer or refuses the parameters.
    """
    with prefect_server() as client:
        try:
            found = client.read_deployment_by_name(deployment)
        except ObjectNotFound as error:
            raise InputError(
                f"{deployment} is not deployed; `dns up` deploys what prefect.yaml lists"
            ) from error
        return str(client.create_flow_run_from_deployment(found.id, parameters=dict(parameters or {})).id)


@contextmanager
def prefect_server() -> Iterator[SyncPrefectClient]:
    """Yield a client of the server that ``PREFECT_API_URL`` names.

    Raises:
        PlatformError: there is none, it does not answer, or it does not do what is asked.
    """
    address = PREFECT_API_URL.value() or ""
    if not address:
        raise PlatformError("no Prefect server is named; `dns up` starts one")
    if problem := connection_problem(f"{address}/health"):
        raise PlatformError(f"the Prefect server at {address} {problem}; `dns up` starts it")
    try:
        with get_client(sync_client=True) as client:
            yield client
    except (PrefectException, httpx.HTTPError) as error:
        raise PlatformError(f"the Prefect server at {address} refuses: {error}") from error


def _flow_names(client: SyncPrefectClient, runs: list[FlowRun]) -> dict[UUID, str]:
    ids = list({run.flow_id for run in runs})
    if not ids:
        return {}
    return {
        flow.id: flow.name for flow in client.read_flows(flow_filter=FlowFilter(id=FlowFilterId(any_=ids)))
    }


def _row(run: FlowRun, names: Mapping[UUID, str], n_tasks: int = 0) -> RunRow:
    state = run.state_type.value if run.state_type else "UNKNOWN"
    message = (run.state.message or "") if run.state else ""
    began = run.start_time
    return RunRow(
        id=str(run.id),
        flow=names.get(run.flow_id, ""),
        name=run.name or "",
        state=state,
        message=message,
        started_at=datetime.fromisoformat(began.isoformat()) if began else None,
        duration_s=run.estimated_run_time.total_seconds(),
        n_tasks=n_tasks,
    )
