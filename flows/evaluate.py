"""Flow ``evaluate``: measure the bundle in service on the workspace's benchmark, video file to ranking."""

from dataclasses import asdict
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact
from pydantic import Field

from dns_core.errors import InputError
from dns_core.measurement.release import measure_release
from dns_core.params import load_params
from dns_core.workspace import Workspace
from dns_ops.releases.release import champion, find_release
from dns_ops.settings import load_settings
from flows.foreseen import foreseen_errors_shown
from flows.progress import flow_progress
from flows.workspace import workspace_of_run


@flow(name="evaluate")
@foreseen_errors_shown
def evaluate(version: int = Field(default=0, ge=0)) -> None:
    """Measure a release and show its figures.

    Args:
        version: that was released here; 0 is the champion.
    """
    root = Path.cwd()
    load_settings(root)
    wanted = version or champion(root)
    if not wanted:
        raise InputError("no bundle is in service yet; `dns models promote` puts one there")
    release = find_release(root, wanted)
    budget = load_params(root / "params.yaml").evaluate.gates.budget
    with workspace_of_run(root):
        found = measure_release(Workspace(root), release.models, release.index, budget, flow_progress())
    figures = asdict(found)
    rows = [{"figure": f"mAP {task}", "value": value} for task, value in figures.pop("map").items()]
    rows += [{"figure": name, "value": value} for name, value in figures.items()]
    create_table_artifact(
        rows, key="release-figures", description=f"Version {wanted}, re-ranking {budget:.0%}"
    )
