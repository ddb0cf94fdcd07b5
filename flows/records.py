"""What a Prefect server knows, as plain facts that need no Prefect to be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ENDED = frozenset(("COMPLETED", "FAILED", "CANCELLED", "CRASHED"))
"""Types of state that a run does not leave by itself."""
STOPPING = frozenset(("CANCELLING", "CANCELLED"))
"""Types of state of a run that is being cancelled or was cancelled."""
WAITING = "Waiting"
"""Name of the state of a run that waits until another has left the workspace."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a deployment starts by itself, and whether it does at present."""

    schedule_id: str
    when: str
    active: bool


@dataclass(frozen=True, slots=True)
class Deployment:
    """A flow that can be started.

    Attributes:
        deployment_id: the server's id of it.
        name: of the deployment.
        description: what it does.
        parameters: values that hold where none are given.
        schema: JSON Schema of the parameters, from the flow's annotations and docstring.
        schedules: when it starts by itself.
    """

    deployment_id: str
    name: str
    description: str
    parameters: Mapping[str, Any]
    schema: Mapping[str, Any]
    schedules: tuple[Schedule, ...] = ()


@dataclass(frozen=True, slots=True)
class FlowRun:
    """One run of a flow.

    Attributes:
        run_id: the server's id of it.
        name: that the server gave it.
        deployment_id: of the deployment it is a run of; empty for none.
        state: its kind in capitals, such as ``RUNNING``.
        state_name: the word for it, such as ``AwaitingRetry``.
        message: why it is in that state, if that was said.
        created: when it was asked for.
        started: when it began; None if it has not.
        ended: when it ended; None if it has not.
        parameters: that it was given.
        attempts: how often it was begun.
        flow: name of its flow; empty if that was not asked for.
        process: machine and id of its process, ``machine:id``; empty before a worker started one.
    """

    run_id: str
    name: str
    deployment_id: str
    state: str
    state_name: str
    message: str
    created: datetime
    started: datetime | None
    ended: datetime | None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    attempts: int = 0
    process: str = ""
    flow: str = ""

    @property
    def seconds(self) -> float | None:
        """Seconds from its beginning to its end or to now; None if it has not begun."""
        return ((self.ended or datetime.now(UTC)) - self.started).total_seconds() if self.started else None

    @property
    def is_over(self) -> bool:
        """Whether it will do nothing more unless it is retried."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class TaskRun:
    """One task of a run: a stage, or some of the videos."""

    name: str
    state: str
    state_name: str
    started: datetime | None
    seconds: float


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a run said."""

    at: datetime
    level: str
    text: str
