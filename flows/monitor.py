"""Flow ``monitor``: are the videos that came in since like those that the champion learnt from."""

from pathlib import Path

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed

from dns_core.params import load_params
from dns_core.workspace import Workspace
from dns_ops.quality.verdict import read_verdicts
from dns_ops.releases.drift_monitor import monitor_drift
from dns_ops.settings import load_settings
from flows.artifacts import publish_verdicts
from flows.foreseen import foreseen_errors_shown
from flows.progress import flow_progress
from flows.workspace import workspace_of_run


@flow(name="monitor")
@foreseen_errors_shown
def monitor() -> State[None]:
    """Measure the drift of new videos; the run is called Drifted, and says why, if it is too large."""
    root = Path.cwd()
    settings = load_settings(root)
    limits = load_params(root / "params.yaml").validate_data.drift
    with workspace_of_run(root):
        complaint = monitor_drift(root, limits, flow_progress())
    verdicts = read_verdicts(Workspace(root).quality_folder)
    page = settings.dashboard("data?part=Drift")
    publish_verdicts([row for row in verdicts if row["name"] == "monitor"], page)
    note = f"**Needs attention.** {complaint}" if complaint else "New videos are like the training videos."
    create_markdown_artifact(note, key="drift", description="New videos beside the champion's training data")
    return Completed(name="Drifted", message=complaint) if complaint else Completed(message=note)
