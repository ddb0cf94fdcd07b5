"""What a stage logs is in MLflow afterwards, even if the stage dies."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from dns_core.ports import SilentProgress
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.settings import Settings
from dns_ops.tracking.run_logger import stage_run
from dns_ops.tracking.store import Tracking, TrackingError, open_tracking


class Told(SilentProgress):
    """Progress that remembers what it was told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def say(self, message: str) -> None:
        self.messages.append(message)


def runs(tracking: Tracking) -> dict[str, Any]:
    return {
        run.info.run_name: run for run in tracking.client.search_runs([tracking.experiment_id]) if run.info
    }


def stage(workspace: Path, **settings: Any) -> Any:
    return stage_run(
        workspace, Settings(**settings), "train", {"rate": {"first": 0.1}, "seed": 1}, SilentProgress()
    )


def test_a_stage_is_a_child_of_its_reproduction_with_params_and_metrics_by_step(
    workspace: Path, tracking: Tracking, tmp_path: Path
) -> None:
    file = tmp_path / "losses.json"
    file.write_text("{}")
    with (
        reproduction(workspace, Settings(), {"seed": 1}) as parent,
        stage(workspace, parent_run=parent) as logger,
    ):
        logger.log_metrics({"loss": 3.0}, step=0)
        logger.log_metrics({"loss": 2.0}, step=1)
        logger.log_artifact(file)
    found = runs(tracking)
    run = found["train"]
    assert run.data.tags["mlflow.parentRunId"] == found["reproduce"].info.run_id == parent
    assert run.info.status == found["reproduce"].info.status == "FINISHED"
    assert run.data.params == {"rate.first": "0.1", "seed": "1"}
    history = tracking.client.get_metric_history(run.info.run_id, "loss")
    assert [(row.step, row.value) for row in history] == [(0, 3.0), (1, 2.0)]
    assert [row.path for row in tracking.client.list_artifacts(run.info.run_id)] == ["losses.json"]


@pytest.mark.parametrize(("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_a_run_says_how_it_ended(
    workspace: Path, tracking: Tracking, error: type[BaseException], status: str
) -> None:
    with pytest.raises(error), stage(workspace):
        raise error
    assert runs(tracking)["train"].info.status == status


def test_a_run_whose_process_was_killed_is_marked_by_the_next(workspace: Path, tracking: Tracking) -> None:
    code = """
import os, signal, sys
from pathlib import Path
from dns_core.ports import SilentProgress
from dns_ops.tracking.run_logger import stage_run
from dns_ops.settings import Settings
with stage_run(Path(sys.argv[1]), Settings(), "killed", {}, SilentProgress()):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code, workspace], env=dict(os.environ), check=False)
    assert done.returncode == -9
    assert runs(tracking)["killed"].info.status == "RUNNING"
    with stage(workspace):
        assert runs(tracking)["train"].info.status == "RUNNING"
    assert runs(tracking)["killed"].info.status == "KILLED"
    assert runs(tracking)["killed"].data.tags["dns.crashed"] == "true"


def test_a_store_that_goes_away_is_told_once_and_stops_nothing(
    workspace: Path, tracking: Tracking, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise MlflowException("the server has gone\nand more")

    told = Told()
    with stage_run(workspace, Settings(), "train", {}, told) as logger:
        monkeypatch.setattr(type(tracking.client), "log_batch", gone)
        logger.log_metrics({"loss": 1.0}, step=0)
        logger.log_metrics({"loss": 1.0}, step=1)
    assert told.messages == ["the record of this run is not complete: the server has gone"]


def test_a_server_that_is_down_is_one_error_before_anything_runs(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match=r"cannot be used: \[Errno \d+\] Connection refused$") as error:
        open_tracking(workspace, Settings(tracking_uri="http://me:secret@127.0.0.1:9"))
    assert "secret" not in str(error.value)
