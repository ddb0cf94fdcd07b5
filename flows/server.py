"""Asking a Prefect server: what can be started, what runs, what it said; and telling it to."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    DeploymentFilter,
    DeploymentFilterId,
    FlowFilter,
    FlowFilterId,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import DeploymentSchedule, State
from prefect.client.schemas.objects import FlowRun as PrefectRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.client.schemas.sorting import FlowRunSort, LogSort
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.settings import PREFECT_API_AUTH_STRING
from prefect.states import Cancelled, Cancelling, Scheduled

from dns_core.errors import DnsError, InputError
from dns_ops.http_probe import connection_problem
from flows.processes import is_gone
from flows.records import Deployment, FlowRun, LogLine, Schedule, TaskRun

_LEVELS = ((40, "error"), (30, "warning"), (20, "info"), (0, "debug"))


class FlowServerError(DnsError):
    """The Prefect server does not answer, or does not do what it is asked."""


class FlowServer:
    """A Prefect server by the address of its API.

    Args:
        api_url: ends with ``/api``.
    """

    def __init__(self, api_url: str) -> None:
        self.api_url = api_url

    def deployments(self) -> list[Deployment]:
        """What can be started, by name.

        Raises:
            FlowServerError: the server does not answer.
        """
        with self._asking() as client:
            found = client.read_deployments(limit=200)
        return sorted((_deployment(row) for row in found), key=lambda row: row.name)

    def start(self, deployment_id: str, parameters: Mapping[str, Any]) -> FlowRun:
        """The run that was asked for; a worker begins it within seconds.

        Raises:
            FlowServerError: the server does not answer, or refuses the parameters.
        """
        with self._asking() as client:
            made = client.create_flow_run_from_deployment(
                UUID(deployment_id), parameters=dict(parameters), state=Scheduled()
            )
        return _run(made)

    def runs(self, deployment_id: str = "", *, limit: int = 20, offset: int = 0) -> list[FlowRun]:
        """Runs, the newest first; of one deployment if it is named. What is only planned is left out."""
        only = DeploymentFilter(id=DeploymentFilterId(any_=[UUID(deployment_id)])) if deployment_id else None
        with self._asking() as client:
            found = client.read_flow_runs(
                deployment_filter=only, flow_run_filter=_due(), sort=FlowRunSort.EXPECTED_START_TIME_DESC,
                limit=limit, offset=offset,
            )  # fmt: skip
        return [_run(row) for row in found]

    def last_runs(self, limit: int = 10) -> list[FlowRun]:
        """Runs with the names of their flows, those that began last first; then those that wait."""
        with self._asking() as client:
            found = client.read_flow_runs(
                flow_run_filter=_due(), sort=FlowRunSort.START_TIME_DESC, limit=limit
            )
            flows = FlowFilter(id=FlowFilterId(any_=list({row.flow_id for row in found})))
            names = {flow.id: flow.name for flow in client.read_flows(flow_filter=flows)} if found else {}
        return [replace(_run(row), flow=names.get(row.flow_id, "")) for row in found]

    def start_named(self, name: str, parameters: Mapping[str, Any] | None = None) -> FlowRun:
        """Start a run of a deployment.

        Args:
            name: ``flow/deployment``, for example ``demo/demo``.
            parameters: of the flow.

        Raises:
            InputError: there is no such deployment.
            FlowServerError: the server does not answer, or refuses the parameters.
        """
        with self._asking() as client:
            try:
                found = client.read_deployment_by_name(name)
            except ObjectNotFound as error:
                raise InputError(
                    f"{name} is not deployed; `dns up` deploys what prefect.yaml lists"
                ) from error
        return self.start(str(found.id), parameters or {})

    def run(self, run_id: str) -> FlowRun:
        """A run as it stands now."""
        with self._asking() as client:
            return _run(client.read_flow_run(UUID(run_id)))

    def tasks(self, run_id: str) -> list[TaskRun]:
        """The tasks of a run that have begun, in the order in which they did."""
        with self._asking() as client:
            found = client.read_task_runs(flow_run_filter=_only(run_id), limit=200)
        rows = [
            TaskRun(
                name=row.name,
                state=row.state_type.value if row.state_type else "PENDING",
                state_name=row.state_name or "",
                started=row.start_time,
                seconds=row.estimated_run_time.total_seconds(),
            )
            for row in found
        ]
        return sorted(rows, key=lambda row: (row.started is None, row.started))

    def progress(self, run_id: str) -> float | None:
        """Share in [0, 1] of the work that is done, if the flow tells it."""
        chosen = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(run_id)]))
        with self._asking() as client:
            found = client.read_artifacts(artifact_filter=chosen, limit=50)
        reported = [row for row in found if row.type == "progress" and isinstance(row.data, int | float)]
        newest = max(reported, key=lambda row: str(row.updated), default=None)
        return None if newest is None else min(1.0, float(str(newest.data)) / 100)

    def logs(self, run_id: str, *, limit: int = 200) -> list[LogLine]:
        """The last lines that the run said, the oldest first."""
        chosen = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[UUID(run_id)]))
        with self._asking() as client:
            found = client.read_logs(chosen, limit=min(limit, 200), sort=LogSort.TIMESTAMP_DESC)
        return [LogLine(row.timestamp, _level(row.level), row.message) for row in reversed(found)]

    def cancel(self, run_id: str) -> None:
        """End the run: at once if no worker has taken it, else when its process has ended.

        A run that was cancelled before and whose process has gone without its worker's knowledge is over.

        Raises:
            InputError: it is over already.
        """
        run = self.run(run_id)
        if run.is_over:
            raise InputError(f"run {run.name} is over already: {run.state_name}")
        if run.state in ("SCHEDULED", "PAUSED") or (run.state == "CANCELLING" and is_gone(run.process)):
            self._set(run_id, Cancelled())
        else:  # a worker that has taken it may just be starting its process
            self._set(run_id, Cancelling())

    def retry(self, run_id: str) -> None:
        """Begin the run again, with the same parameters, under the same id.

        Raises:
            InputError: it still runs.
        """
        run = self.run(run_id)
        if not run.is_over:
            raise InputError(f"run {run.name} is not over: {run.state_name}")
        self._set(run_id, Scheduled(name="AwaitingRetry", message="asked for by a person"))

    def set_schedule(self, deployment_id: str, schedule_id: str, *, active: bool) -> None:
        """Switch a schedule of the deployment on or off."""
        with self._asking() as client:
            client.update_deployment_schedule(UUID(deployment_id), UUID(schedule_id), active=active)

    def add_schedule(self, deployment_id: str, cron: str) -> None:
        """Start the deployment at the times that ``cron`` names, in UTC.

        Raises:
            InputError: ``cron`` is no line of a crontab.
        """
        try:
            schedule = CronSchedule(cron=cron.strip(), timezone="UTC")
        except ValueError as error:
            raise InputError(f"{cron!r}: expected a line of a crontab such as '0 3 * * *'") from error
        asked = DeploymentScheduleCreate(schedule=schedule, active=True)
        with self._asking() as client:
            client.create_deployment_schedules(UUID(deployment_id), [asked])

    def remove_schedule(self, deployment_id: str, schedule_id: str) -> None:
        """Remove the schedule."""
        with self._asking() as client:
            client.delete_deployment_schedule(UUID(deployment_id), UUID(schedule_id))

    def _set(self, run_id: str, state: State[None]) -> None:
        with self._asking() as client:
            client.set_flow_run_state(UUID(run_id), state, force=True)

    @contextmanager
    def _asking(self) -> Iterator[SyncPrefectClient]:
        if problem := connection_problem(f"{self.api_url}/health"):  # Prefect's client would try for seconds
            raise FlowServerError(f"{self.api_url}: {problem}; `dns up` starts the server")
        try:
            password = PREFECT_API_AUTH_STRING.value()
            with SyncPrefectClient(
                self.api_url, auth_string=password, httpx_settings={"timeout": 10.0}
            ) as client:
                yield client
        except (httpx.HTTPError, PrefectException, RuntimeError) as error:
            raise FlowServerError(f"{self.api_url}: {_reason(error)}") from error


def _due() -> FlowRunFilter:
    """Schedules plan many runs ahead, which are not history yet."""
    soon = datetime.now(UTC) + timedelta(minutes=1)
    return FlowRunFilter.model_validate({"expected_start_time": {"before_": soon}})


def _only(run_id: str) -> FlowRunFilter:
    return FlowRunFilter(id=FlowRunFilterId(any_=[UUID(run_id)]))


def _deployment(row: DeploymentResponse) -> Deployment:
    return Deployment(
        deployment_id=str(row.id),
        name=row.name,
        description=(row.description or "").strip(),
        parameters=row.parameters,
        schema=row.parameter_openapi_schema or {},
        schedules=tuple(_schedule(schedule) for schedule in row.schedules),
    )


def _schedule(row: DeploymentSchedule) -> Schedule:
    schedule = row.schedule
    zone = getattr(schedule, "timezone", None) or "UTC"
    if isinstance(schedule, CronSchedule):
        when = f"{schedule.cron} ({zone})"
    else:
        when = f"every {schedule.interval}" if hasattr(schedule, "interval") else str(schedule)
    return Schedule(str(row.id), when, row.active)


def _run(row: PrefectRun) -> FlowRun:
    return FlowRun(
        run_id=str(row.id),
        name=row.name,
        deployment_id=str(row.deployment_id or ""),
        state=row.state.type.value if row.state else "PENDING",
        state_name=(row.state.name if row.state else "") or "",
        message=(row.state.message if row.state else "") or "",
        created=row.created or datetime.now(UTC),
        started=row.start_time,
        ended=row.end_time,
        parameters=row.parameters,
        attempts=row.run_count,
        process=row.infrastructure_pid or "",
    )


def _level(number: int) -> str:
    return next(name for least, name in _LEVELS if number >= least)


def _reason(error: Exception) -> str:
    """What the server says of it, or else what went wrong on the way there."""
    if isinstance(error, httpx.HTTPStatusError):
        try:
            said = error.response.json()
        except ValueError:
            said = ""
        detail = said.get("detail", said) if isinstance(said, dict) else said
        return f"refused with status {error.response.status_code}: {detail}".removesuffix(": ")
    return f"does not answer: {str(error) or type(error).__name__}"
