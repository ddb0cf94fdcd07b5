"""The workspace for one run at a time; a run that waits for it says so, and for whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Running

from dns_ops.pipeline.workspace_lock import Holder, workspace_lock
from flows.records import WAITING


@contextmanager
def workspace_of_run(root: Path) -> Iterator[None]:
    """As `dns_ops.pipeline.workspace_lock.workspace_lock`, for the run of the flow that calls this.

    While the run waits, the name of its state is `WAITING` and the message says for whom.
    """
    waited: list[str] = []

    def wait(message: str) -> None:
        get_run_logger().info(message)
        waited.append(message)
        show(Running(name=WAITING, message=message))

    def show(state: State[None]) -> None:
        with get_client(sync_client=True) as client:
            client.set_flow_run_state(UUID(flow_run.id), state, force=True)

    with workspace_lock(root, wait, Holder(f"the run {flow_run.name} of {flow_run.flow_name}", flow_run.id)):
        if waited:
            show(Running())
        yield
