"""The process of a flow's run: ``python -m flows.launch`` is Prefect's engine, but for cancelled runs.

A worker takes a run and starts its process a moment later. It stops only processes that it has started, and
the engine runs what it is given: between the two, a cancellation would be lost.
"""

import os
import runpy
import sys
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.states import Cancelled

from flows.records import STOPPING


def main() -> int:
    """Run the flow of ``PREFECT__FLOW_RUN_ID``, unless its run was cancelled before this process began."""
    if _was_cancelled(UUID(os.environ["PREFECT__FLOW_RUN_ID"])):
        return 0
    runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)
    return 0


def _was_cancelled(run_id: UUID) -> bool:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
        if state is None or state.type.value not in STOPPING:
            return False
        client.set_flow_run_state(run_id, Cancelled(message="cancelled before it began"), force=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
