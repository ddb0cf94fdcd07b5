"""Runs in MLflow: one parent a reproduction, one child a stage.

A store that cannot be reached when a run begins is an error before anything is computed; one that goes
away later costs the rest of the record and never the result.
"""

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from matplotlib.figure import Figure
from mlflow.entities import Dataset, DatasetInput, Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

from dns_core.ports import Progress, SilentProgress
from dns_core.store.atomic import read_json
from dns_core.workspace import Workspace
from dns_ops.dag import read_dag
from dns_ops.http_probe import printable_uri
from dns_ops.provenance import code_commit, data_version
from dns_ops.settings import Settings
from dns_ops.tracking.log_socket import END, Conversation, PeerGoneError, serve_run_logs
from dns_ops.tracking.plots import drawn
from dns_ops.tracking.store import Tracking, TrackingError, first_line, open_tracking, tracking_errors

_PARENT_TAG, _OWNER_TAG, _CRASHED_TAG = "mlflow.parentRunId", "dns.process", "dns.crashed"
_LARGEST_ARTIFACT_BYTES = 64 << 20


@contextmanager
def parent_run(
    root: Path, settings: Settings, params: Mapping[str, Any], finish: Callable[[Tracking, str], object]
) -> Iterator[str]:
    """Yield the id of a new run, the parent of the stages that run meanwhile.

    A stage is a child of the run that the setting ``parent_run`` names.

    Args:
        root: the workspace.
        settings: where runs go.
        params: of all stages.
        finish: called with the store and the id when all stages have ended well, before the run is closed.

    Raises:
        TrackingError: the store cannot be reached.
    """
    tracking = open_tracking(root, settings)
    run_id = _begin(tracking, root, "reproduce", "")
    logger = MlflowRunLogger(tracking, run_id, SilentProgress())
    logger.log_params(params)
    with _ending(tracking, logger):
        own = settings.model_copy(update={"parent_run": run_id})
        with serve_run_logs(root, run_id, lambda stage: _record(root, own, stage)):
            yield run_id
        finish(tracking, run_id)


@contextmanager
def stage_run(
    root: Path, settings: Settings, name: str, params: Mapping[str, Any], progress: Progress
) -> Iterator["MlflowRunLogger"]:
    """Yield a recorder of one stage: params, data version and commit now; the end, and how, afterwards.

    Args:
        root: the workspace.
        settings: where runs go.
        name: stage, or ``stage@item``.
        params: of the stage.
        progress: is told once if the store goes away.

    Raises:
        TrackingError: the store cannot be reached.
    """
    tracking = open_tracking(root, settings)
    run_id = _begin(tracking, root, name, settings.parent_run)
    logger = MlflowRunLogger(tracking, run_id, progress)
    logger.log_params(params)
    monitor = SystemMetricsMonitor(run_id, tracking_uri=tracking.uri)
    monitor.start()
    try:
        with _ending(tracking, logger):
            yield logger
            _record_outputs(root, name, logger)
    finally:
        monitor.finish()


def _record(root: Path, settings: Settings, stage: Conversation) -> None:
    """Record what a stage in another process sends; reply when it has begun and when it has ended."""
    name, params = stage.receive()
    progress = _LastMessage()
    try:
        with stage_run(root, settings, name, params, progress) as logger:
            stage.send("")
            _write_down(stage, logger)
    except TrackingError as error:
        stage.send(str(error))
    except (_StageFailedError, _StageKilled):
        pass
    stage.send(progress.message)


def _write_down(stage: Conversation, logger: "MlflowRunLogger") -> None:
    actions: dict[str, Callable[..., None]] = {
        "log_params": logger.log_params,
        "log_metrics": logger.log_metrics,
        "log_artifact": lambda path: logger.log_artifact(Path(path)),
    }
    try:
        while (message := stage.receive())[0] != END:
            actions[message[0]](*message[1:])
    except PeerGoneError:
        logger.mark_crashed()
        raise _StageKilled from None
    if message[1] == "FAILED":
        raise _StageFailedError
    if message[1] == "KILLED":
        raise _StageKilled


class _StageFailedError(Exception):
    """A stage in another process raised an error."""


class _StageKilled(BaseException):
    """A stage in another process was stopped, or is not there any more."""


class _LastMessage(SilentProgress):
    """Progress that keeps the last line."""

    message = ""

    def say(self, message: str) -> None:
        self.message = message


class MlflowRunLogger:
    """`dns_core.ports.RunLogger` on one run.

    Args:
        tracking: the store.
        run_id: of the run.
        progress: is told once if the store goes away.
    """

    def __init__(self, tracking: Tracking, run_id: str, progress: Progress) -> None:
        self._tracking = tracking
        self.run_id = run_id
        self._progress = progress
        self._lost = False

    def log_params(self, params: Mapping[str, object]) -> None:
        """Record what was asked; nested settings get dotted names."""
        rows = [Param(name, str(value)) for name, value in _flat(params)]
        self.attempt(lambda: self._tracking.client.log_batch(self.run_id, params=rows))

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Record figures, at a step of training or for the whole run."""
        now_ms = int(time.time() * 1000)
        rows = [Metric(name, float(value), now_ms, step or 0) for name, value in metrics.items()]
        self.attempt(lambda: self._tracking.client.log_batch(self.run_id, metrics=rows))

    def log_artifact(self, path: Path) -> None:
        """Record a file that the run wrote; one above 64 MiB is DVC's to keep, and only its name is said."""
        if path.stat().st_size <= _LARGEST_ARTIFACT_BYTES:
            self.attempt(lambda: self._tracking.client.log_artifact(self.run_id, str(path)))
        else:
            self.attempt(
                lambda: self._tracking.client.set_tag(self.run_id, f"dns.large.{path.name}", str(path))
            )

    def log_figure(self, figure: Figure, name: str) -> None:
        """Record a picture as ``figures/NAME``."""
        self.attempt(lambda: self._tracking.client.log_figure(self.run_id, figure, f"figures/{name}"))

    def mark_crashed(self) -> None:
        """Say that the process that the run was of is gone, and had no last word."""
        self.attempt(lambda: self._tracking.client.set_tag(self.run_id, _CRASHED_TAG, "true"))

    def attempt(self, call: Callable[[], object]) -> None:
        """Call the store; if it is unreachable, say so once and continue without recording."""
        try:
            call()
        except (MlflowException, OSError) as error:
            if not self._lost:
                self._progress.say(f"the record of this run is not complete: {first_line(error)}")
            self._lost = True


def _begin(tracking: Tracking, root: Path, name: str, parent: str) -> str:
    _close_crashed(tracking)
    commit, data = code_commit(root), data_version(root)
    tags = {
        _OWNER_TAG: _owner(os.getpid()),
        "dns.stage": name,
        "dns.data_version": data,
        "mlflow.source.git.commit": commit,
        **({_PARENT_TAG: parent} if parent else {}),
    }
    with tracking_errors(f"the store of runs at {printable_uri(tracking.uri)} refused a run"):
        run_id = str(tracking.client.create_run(tracking.experiment_id, tags=tags, run_name=name).info.run_id)
        if data:
            _log_data(tracking, run_id, root, data)
    return run_id


def _record_outputs(root: Path, name: str, logger: MlflowRunLogger) -> None:
    """Log files that the stage wrote, their pictures, and the figures of an evaluation; DVC keeps folders."""
    if not (root / ".dvc").is_dir():
        return  # a stage may be run where there is no pipeline
    outputs = next((step.outputs for step in read_dag(root) if step.name == name), ())
    for path in (root / output for output in outputs):
        if path.is_file():
            logger.log_artifact(path)
        for title, figure in drawn(path):
            logger.log_figure(figure, f"{title}.png")
        if path == Workspace(root).metrics:
            logger.log_metrics(dict(_flat(read_json(path))))


def _log_data(tracking: Tracking, run_id: str, root: Path, version: str) -> None:
    source = str(root / "data")
    tracking.client.log_inputs(run_id, [DatasetInput(Dataset("videos", version, "local", source))])


@contextmanager
def _ending(tracking: Tracking, logger: MlflowRunLogger) -> Iterator[None]:
    """Close the run with its final status, however the block ends."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    except Exception:
        raise
    except BaseException:  # Ctrl-C, or a flow that was cancelled
        status = "KILLED"
        raise
    finally:
        logger.attempt(lambda: tracking.client.set_terminated(logger.run_id, status))


def _close_crashed(tracking: Tracking) -> None:
    """Mark open runs of this machine as killed if their process is gone."""
    with tracking_errors(f"the store of runs at {printable_uri(tracking.uri)} cannot be read"):
        running = tracking.client.search_runs(
            [tracking.experiment_id], "attributes.status = 'RUNNING'", max_results=100
        )
        for run in running:
            owner = run.data.tags.get(_OWNER_TAG, "")
            host, _, process = owner.rpartition(":")
            if host == socket.gethostname() and owner != _owner(int(process.partition("-")[0])):
                tracking.client.set_tag(run.info.run_id, _CRASHED_TAG, "true")
                tracking.client.set_terminated(run.info.run_id, "KILLED")


def _owner(pid: int) -> str:
    """Host, process id and when the process began, which together are never given twice."""
    try:
        began = round(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        began = 0
    return f"{socket.gethostname()}:{pid}-{began}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
