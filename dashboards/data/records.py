"""Where a page gets what the workspace's files, MLflow and Prefect know, kept for some seconds."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st
import yaml

from dashboards.data.service import settings, workspace
from dashboards.panels.models import Figures, figures_in_service
from dashboards.panels.videos import Summary, summary
from dns_core.errors import DnsError, ParamsError
from dns_core.evaluation.gates import GateLimits
from dns_core.evaluation.report import EvaluationReport
from dns_core.records import Quarantined
from dns_core.store.atomic import read_json
from dns_core.store.quarantine import read_quarantine
from dns_core.workspace import COLLECTIONS, Workspace
from dns_ops.data.versions import DataDiff, current_version, data_versions, diff_versions, read_version
from dns_ops.platform.services import flow_environment
from dns_ops.releases.decisions import promotions
from dns_ops.releases.registry import BundleVersion, bundle_versions
from dns_ops.releases.release import champion
from dns_ops.tracking.run_queries import RunRecord, recorded_report, recorded_run, recorded_runs
from dns_ops.tracking.store import Tracking, TrackingError, open_tracking
from flows.records import Deployment, FlowRun
from flows.server import FlowServer

_EXTRACTION, _EVALUATION = "extract_features", "evaluate"


@st.cache_resource(show_spinner=False)
def tracking() -> Tracking:
    """The store of runs and models, opened when the dashboard starts; all pages share it."""
    return open_tracking(workspace(), settings())


def read_ahead() -> None:
    """Load what takes long when first asked for: the store of runs, the facts of the videos."""
    with suppress(DnsError):  # the page that needs it will say so
        tracking()
        for collection in COLLECTIONS:
            probes(collection)


def flow_server() -> FlowServer:
    """The Prefect server that this process is told of, else the one of ``dns up``."""
    own = flow_environment(workspace(), settings())["PREFECT_API_URL"]
    return FlowServer(os.environ.get("PREFECT_API_URL", own))


@st.cache_data(ttl=10, show_spinner=False)
def last_runs(limit: int = 8) -> list[FlowRun]:
    """The last runs of flows."""
    return flow_server().last_runs(limit)


def run_now(run_id: str) -> tuple[FlowRun, int]:
    """A run as it stands now, and how many of its tasks ended well."""
    server = flow_server()
    return server.run(run_id), sum(task.state == "COMPLETED" for task in server.tasks(run_id))


def start_demo() -> str:
    """Start a run that makes the demo, which a worker of the platform takes up; its id."""
    return flow_server().start_named("demo/demo").run_id


@st.cache_data(ttl=10, show_spinner="Asking Prefect …")
def deployments() -> list[Deployment]:
    """What can be started."""
    return flow_server().deployments()


@st.cache_data(ttl=10, show_spinner="Reading the registry …")
def versions() -> list[BundleVersion]:
    """Registered bundles, the newest first."""
    return bundle_versions(tracking())


@st.cache_data(ttl=15, show_spinner="Reading the record of runs …")
def evaluations(limit: int = 50) -> list[RunRecord]:
    """Evaluations that came to their end, the newest first."""
    found = recorded_runs(tracking(), stage=_EVALUATION, limit=limit)
    return [run for run in found if run.status == "FINISHED"]


@st.cache_data(ttl=3600, max_entries=100, show_spinner="Reading reports …")
def report(run_id: str) -> EvaluationReport:
    """What an evaluation found; it never changes."""
    return recorded_report(tracking(), run_id)


@st.cache_data(ttl=60, show_spinner=False)
def run_params(run_id: str) -> dict[str, str]:
    """All that a run was asked for; nothing of no run."""
    return dict(recorded_run(tracking(), run_id).params) if run_id else {}


@st.cache_data(ttl=60, show_spinner=False)
def stage_runs(parent: str) -> list[RunRecord]:
    """The stages that ran in a reproduction."""
    return recorded_runs(tracking(), parent=parent, limit=100) if parent else []


def evaluation_metrics(parent: str) -> dict[str, float]:
    """What the evaluation of a reproduction found; nothing if it had none."""
    found = next((run for run in stage_runs(parent) if run.stage == _EVALUATION), None)
    return dict(found.metrics) if found else {}


def evaluation_report(parent: str) -> EvaluationReport | None:
    """What the evaluation of a reproduction reported; nothing if it had none, or its files are gone."""
    found = next((run for run in stage_runs(parent) if run.stage == _EVALUATION), None)
    with suppress(TrackingError):
        return report(found.run_id) if found else None
    return None


def gate_limits() -> GateLimits:
    """What a bundle must keep to here, and the share that the setting in service re-ranks.

    Raises:
        ParamsError: the workspace's params do not say.
    """
    path = workspace() / "params.yaml"
    try:
        # Validated by the stages, which load torch: a page reads these few values alone.
        return GateLimits(**yaml.safe_load(path.read_text(encoding="utf-8"))["evaluate"]["gates"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ParamsError(f"{path}: expected evaluate.gates, found none that can be used: {error}") from error


def figures_of(version: BundleVersion) -> Figures | None:
    """Of a version in the setting in service; None if it was never measured so."""
    report_of = evaluation_report(version.run_id)
    return figures_in_service(decisions(), version.version, report_of, gate_limits().budget)


def decisions() -> list[dict[str, Any]]:
    """What was decided of bundles, the oldest first."""
    return promotions(workspace())


def champion_version() -> int:
    """The version in service; 0 if there is none."""
    return champion(workspace())


def probes(collection: str) -> Mapping[str, Any]:
    """Readable and quarantined videos of a collection, as the stage that probes wrote them; empty before."""
    return _read_once(Workspace(workspace()).probes(collection))


def total_seconds() -> float:
    """Seconds of all readable videos together; 0 before they are probed."""
    rows = (row for name in COLLECTIONS for row in probes(name).get("videos", ()))
    return float(sum(row["duration_s"] for row in rows))


def mean_seconds(collection: str) -> float:
    """Mean length of a collection's videos; 0 if none is known."""
    rows = probes(collection).get("videos", ())
    return float(sum(row["duration_s"] for row in rows)) / len(rows) if rows else 0.0


def extraction_speed(parent: str) -> float:
    """Seconds of video a second that a reproduction extracted features of; 0 if it did not."""
    seconds = next((run.seconds for run in stage_runs(parent) if run.stage == _EXTRACTION), None)
    return total_seconds() / seconds if seconds else 0.0


@st.cache_data(ttl=15, show_spinner="Reading versions …")
def data_summaries() -> list[Summary]:
    """Versions of the videos, the newest first."""
    return [summary(version) for version in data_versions(workspace())]


def current_data() -> str:
    """Name of the version that lies in ``data/``; empty if none is recorded."""
    found = current_version(workspace())
    return found.name if found else ""


@st.cache_data(ttl=600, max_entries=20, show_spinner="Comparing …")
def data_diff(old: str, new: str) -> DataDiff:
    """How a version differs from another; neither ever changes."""
    return diff_versions(read_version(workspace(), old), read_version(workspace(), new))


def split() -> Mapping[str, Any]:
    """Which training videos share footage; empty before that was looked for."""
    return _read_once(Workspace(workspace()).split)


def _read_once(path: Path) -> Mapping[str, Any]:
    """What a JSON file says, read again only when it was written again: it may speak of very many videos."""
    return _read_version(path, path.stat().st_mtime_ns) if path.is_file() else {}


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_version(path: Path, written_ns: int) -> Mapping[str, Any]:
    del written_ns  # tells one version of the file from another
    found: dict[str, Any] = read_json(path)
    return found


@st.cache_data(ttl=15, show_spinner=False)
def extraction_quarantine() -> dict[str, list[Quarantined]]:
    """Videos of each collection that probed well and then failed to decode."""
    paths = {name: Workspace(workspace()).extraction_quarantine(name) for name in COLLECTIONS}
    return {name: read_quarantine(path) for name, path in paths.items() if path.is_file()}


@st.cache_data(ttl=15, show_spinner=False)
def quality_reports() -> list[dict[str, Any]]:
    """What validation said of the data, a report a stage; none before it ran."""
    return [read_json(path) for path in sorted(Workspace(workspace()).quality_folder.glob("*.json"))]


def quality_page(name: str) -> str:
    """A report of validation as a page for people; empty if there is none."""
    path = Workspace(workspace()).quality_folder / f"{Path(name).name}.html"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
