"""What a stage tells the process that started it stands in MLflow, and the stage never loads MLflow."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dns_core.ports import SilentProgress
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.settings import Settings
from dns_ops.tracking import run_logger
from dns_ops.tracking.log_socket import RecordRefusedError, line_to_recorder
from dns_ops.tracking.optional import recorded_stage
from dns_ops.tracking.store import Tracking, TrackingError

STAGE = """
import os, signal, sys
from pathlib import Path
from dns_core.ports import SilentProgress
from dns_ops.tracking.optional import recorded_stage
from dns_ops.settings import Settings
root, parent, action = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
settings = Settings(parent_run=parent)
with recorded_stage(root, settings, "train", {"rate": {"first": 0.1}}, SilentProgress()) as logger:
    logger.log_metrics({"loss": 3.0}, step=0)
    logger.log_metrics({"loss": 2.0}, step=1)
    logger.log_artifact(root / "losses.json")
    assert "mlflow" not in sys.modules
    exec(action)
"""


def run_stage(workspace: Path, parent: str, action: str = "pass") -> int:
    (workspace / "losses.json").write_text("{}")
    command = [sys.executable, "-c", STAGE, str(workspace), parent, action]
    return subprocess.run(command, env=dict(os.environ), check=False, stderr=subprocess.DEVNULL).returncode


def recorded(tracking: Tracking) -> Any:
    found = tracking.client.search_runs([tracking.experiment_id], "attributes.run_name = 'train'")
    return found[0]


def test_a_stage_of_another_process_is_recorded_as_its_own_would_be(
    workspace: Path, tracking: Tracking
) -> None:
    with reproduction(workspace, Settings(), {}) as parent:
        assert run_stage(workspace, parent) == 0
        run = recorded(tracking)
        assert run.info.status == "FINISHED"  # as soon as the stage's process has ended
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.params == {"rate.first": "0.1"}
    history = tracking.client.get_metric_history(run.info.run_id, "loss")
    assert [(row.step, row.value) for row in history] == [(0, 3.0), (1, 2.0)]
    assert [row.path for row in tracking.client.list_artifacts(run.info.run_id)] == ["losses.json"]


@pytest.mark.parametrize(
    ("action", "status", "crashed"),
    [
        ("raise ValueError", "FAILED", False),
        ("raise KeyboardInterrupt", "KILLED", False),
        ("os.kill(os.getpid(), signal.SIGKILL)", "KILLED", True),
    ],
)
def test_however_the_other_process_ends_its_run_is_closed(
    workspace: Path, tracking: Tracking, action: str, status: str, crashed: bool
) -> None:
    with reproduction(workspace, Settings(), {}) as parent:
        assert run_stage(workspace, parent, action) != 0
    run = recorded(tracking)
    assert run.info.status == status
    assert ("dns.crashed" in run.data.tags) == crashed


def test_a_record_that_cannot_be_begun_stops_the_stage(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise TrackingError("the store is full")

    with reproduction(workspace, Settings(), {}) as parent:
        monkeypatch.setattr(run_logger, "stage_run", refused)
        settings = Settings(parent_run=parent)
        with (
            pytest.raises(RecordRefusedError, match="the store is full"),
            recorded_stage(workspace, settings, "train", {}, SilentProgress()),
        ):
            pytest.fail("the stage ran")


def test_the_socket_is_closed_before_and_after(workspace: Path) -> None:
    with reproduction(workspace, Settings(), {}) as parent:
        line = line_to_recorder(workspace, parent)
        assert line is not None
        line.close()  # a stage that says nothing leaves no run
    assert line_to_recorder(workspace, parent) is None
    assert line_to_recorder(workspace, "") is None
