"""Reading what runs recorded: the runs themselves, and the figures of the evaluations among them."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlflow.artifacts import download_artifacts
from mlflow.entities import Run

from dns_core.evaluation.report import EvaluationReport
from dns_core.store.atomic import read_json
from dns_core.workspace import Workspace
from dns_ops.http_probe import printable_uri
from dns_ops.tracking.store import Tracking, tracking_errors

_PARENT_TAG = "mlflow.parentRunId"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as it was recorded.

    Attributes:
        run_id: MLflow's id of it.
        stage: that it ran, or ``reproduce`` for the parent of stages.
        status: ``RUNNING``, ``FINISHED``, ``FAILED`` or ``KILLED``.
        started: when it began.
        seconds: that it took; None while it runs.
        parent: id of the run that it belongs to; empty if to none.
        data_version: of the videos that it read; empty if that was not known yet.
        commit: of the code.
        params: that it was given, by dotted name.
        metrics: that it recorded, the last of each.
    """

    run_id: str
    stage: str
    status: str
    started: datetime
    seconds: float | None
    parent: str
    data_version: str
    commit: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]


def recorded_runs(
    tracking: Tracking, *, stage: str = "", parent: str = "", limit: int = 50
) -> list[RunRecord]:
    """Runs, the newest first.

    Args:
        tracking: the store.
        stage: only runs of this stage, if it is named.
        parent: only runs that belong to this one, if it is named.
        limit: at most so many.

    Raises:
        TrackingError: the store cannot be read.
    """
    wanted = {"dns.stage": stage, _PARENT_TAG: parent}
    chosen = " and ".join(f"tags.`{name}` = '{_quoted(value)}'" for name, value in wanted.items() if value)
    with tracking_errors(f"the store of runs at {printable_uri(tracking.uri)} cannot be read"):
        found = tracking.client.search_runs(
            [tracking.experiment_id], chosen, max_results=limit, order_by=["attributes.start_time DESC"]
        )
    return [_record(run) for run in found]


def recorded_run(tracking: Tracking, run_id: str) -> RunRecord:
    """The run called ``run_id``.

    Raises:
        TrackingError: there is none, or the store cannot be read.
    """
    with tracking_errors(f"run {run_id} cannot be read"):
        return _record(tracking.client.get_run(run_id))


def recorded_report(tracking: Tracking, run_id: str) -> EvaluationReport:
    """The report that an evaluation recorded: a row a method and budget, with precision, time and size.

    Raises:
        TrackingError: the run recorded none, or its files are gone.
    """
    name = Workspace(Path()).report.name
    with tempfile.TemporaryDirectory() as folder:
        with tracking_errors(f"the report of run {run_id} cannot be fetched"):
            path = download_artifacts(
                run_id=run_id, artifact_path=name, dst_path=folder, tracking_uri=tracking.uri
            )
        report: EvaluationReport = read_json(Path(path))
    return report


def _record(run: Run) -> RunRecord:
    tags = run.data.tags
    begun, ended = run.info.start_time, run.info.end_time
    return RunRecord(
        run_id=str(run.info.run_id),
        stage=tags.get("dns.stage", ""),
        status=str(run.info.status),
        started=datetime.fromtimestamp(begun / 1000, UTC),
        seconds=(ended - begun) / 1000 if ended else None,
        parent=tags.get(_PARENT_TAG, ""),
        data_version=tags.get("dns.data_version", ""),
        commit=tags.get("mlflow.source.git.commit", ""),
        params=dict(run.data.params),
        metrics=dict(run.data.metrics),
    )


def _quoted(value: str) -> str:
    return value.replace("'", "")
