"""What a Prefect server must know before a worker starts: pools, limits, the deployments of prefect.yaml."""

import os
import subprocess
import sys
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from dns_ops.settings import load_settings
from flows.steps import GPU_LIMIT

POOLS = ("cpu", "gpu")


def main() -> int:
    """Make them on the server of ``PREFECT_API_URL``; doing so again changes nothing."""
    load_settings(Path.cwd())
    with get_client(sync_client=True) as client:
        prepare_server(client)
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    return subprocess.run(command, env=dict(os.environ), check=False).returncode  # noqa: S603


def prepare_server(client: SyncPrefectClient) -> None:
    """The server has the pools, and the limit that one step at a time uses a GPU."""
    for pool in POOLS:
        try:
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        except ObjectAlreadyExists:
            continue
    client.upsert_global_concurrency_limit_by_name(GPU_LIMIT, 1)


if __name__ == "__main__":
    sys.exit(main())
