"""Where a page gets what the workspace's files, MLflow and Prefect know, kept for some seconds."""

import os
from typing import Any

import streamlit as st

from dashboards.sources import settings, workspace
from dns_core.stages.context import COLLECTIONS, Workspace
from dns_core.store.atomic import read_json
from dns_ops.decisions import promotions
from dns_ops.registry import BundleVersion, bundle_versions
from dns_ops.releases import champion
from dns_ops.run_records import RunRecord, recorded_report, recorded_run, recorded_runs
from dns_ops.services import flow_environment
from dns_ops.tracking import Tracking, open_tracking
from flows.records import Deployment
from flows.server import FlowServer

_EXTRACTION, _EVALUATION = "extract_features", "evaluate"


@st.cache_resource(show_spinner="Opening the record of runs …")
def tracking() -> Tracking:
    """The store of runs and models; all pages share it."""
    return open_tracking(workspace(), settings())


def flow_server() -> FlowServer:
    """The Prefect server that this process is told of, else the one of ``dns up``."""
    own = flow_environment(workspace(), settings())["PREFECT_API_URL"]
    return FlowServer(os.environ.get("PREFECT_API_URL", own))


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
def report(run_id: str) -> dict[str, Any]:
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


def decisions() -> list[dict[str, Any]]:
    """What was decided of bundles, the oldest first."""
    return promotions(workspace())


def champion_version() -> int:
    """The version in service; 0 if there is none."""
    return champion(workspace())


@st.cache_data(ttl=15, show_spinner=False)
def probes(collection: str) -> dict[str, Any]:
    """Readable and quarantined videos of a collection, as the stage that probes wrote them; empty before."""
    path = Workspace(workspace()).probes(collection)
    found: dict[str, Any] = read_json(path) if path.is_file() else {}
    return found


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
