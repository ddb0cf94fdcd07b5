"""What a flow shows in Prefect's UI: tables and links."""

from pathlib import Path

from prefect.artifacts import create_link_artifact, create_table_artifact

from dns_core.stages.context import COLLECTIONS, Workspace
from dns_core.store.atomic import read_json
from dns_ops.settings import Settings


def publish_report(root: Path, settings: Settings, run_id: str) -> None:
    """The quarantine list, the trade-off table and a link to the run in MLflow, of what is there."""
    workspace = Workspace(root)
    quarantined = [
        {"collection": collection, **row}
        for collection in COLLECTIONS
        if workspace.probes(collection).is_file()
        for row in read_json(workspace.probes(collection))["quarantine"]
    ]
    create_table_artifact(quarantined, key="quarantine", description="Videos that could not be used, and why")
    if workspace.trade_off.is_file():
        create_table_artifact(
            read_json(workspace.trade_off),
            key="trade-off",
            description="What each way to search finds and costs",
        )
    server = settings.tracking_store(root)
    if run_id and server.startswith("http"):
        create_link_artifact(f"{server}/#/runs/{run_id}", key="mlflow-run", link_text="parent run in MLflow")
