"""What a flow shows in Prefect's UI: how far it has come, tables and links."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from prefect.artifacts import (
    create_link_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from dns_core.store.atomic import read_json
from dns_core.workspace import COLLECTIONS, Workspace
from dns_ops.quality.page import SHOWN_ROWS
from dns_ops.quality.verdict import failures, read_verdicts
from dns_ops.settings import Settings
from dns_ops.tracking.store import open_tracking


def publish_report(root: Path, settings: Settings, run_id: str) -> None:
    """Quarantine list, validation, trade-off table and a link to the run in MLflow, of what is there."""
    workspace = Workspace(root)
    quarantined = [
        {"collection": collection, **row}
        for collection in COLLECTIONS
        if workspace.probes(collection).is_file()
        for row in read_json(workspace.probes(collection))["quarantine"]
    ]
    create_table_artifact(quarantined, key="quarantine", description="Videos that could not be used, and why")
    publish_verdicts(read_verdicts(workspace.quality_folder), settings.dashboard("data?part=Quality"))
    if workspace.trade_off.is_file():
        create_table_artifact(
            read_json(workspace.trade_off),
            key="trade-off",
            description="What each way to search finds and costs",
        )
    server = settings.tracking_store(root)
    if run_id and server.startswith("http"):
        page = f"{server}/#/experiments/{open_tracking(root, settings).experiment_id}/runs/{run_id}"
        create_link_artifact(page, key="mlflow-run", link_text="parent run in MLflow")


def publish_verdicts(verdicts: Sequence[Mapping[str, Any]], page: str) -> None:
    """Publish a table of the rows that are not as expected, with a link to the dashboard's ``page``."""
    rows = [
        {"suite": suite["suite"], "part": suite["part"], "expected": row["meaning"], **_texts(failing)}
        for verdict in verdicts
        for suite, row in failures(verdict)
        for failing in row["rows"][:SHOWN_ROWS] or [{"found": row["observed"]}]
    ]
    create_table_artifact(rows, key="data-validation", description="Data that are not as expected")
    if verdicts:
        create_link_artifact(page, key="data-docs", link_text="every expectation, in the dashboard")


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    return {"row": ", ".join(f"{name} {value}" for name, value in row.items())}


@contextmanager
def progress_artifact(n_parts: int) -> Iterator[Callable[[], None]]:
    """Yield what is called after each part of a flow's work; the run shows the share that is done."""
    # In a synchronous flow this is the id itself, although the annotation allows more.
    shown = cast("UUID", create_progress_artifact(0.0, key="progress", description=f"0 of {n_parts}"))
    done = 0

    def tell() -> None:
        nonlocal done
        done += 1
        update_progress_artifact(shown, 100 * done / n_parts, description=f"{done} of {n_parts}")

    yield tell
