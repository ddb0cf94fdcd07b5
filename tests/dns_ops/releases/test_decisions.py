"""A challenger is turned down for a reason, which is on record; it stays registered."""

from pathlib import Path

import pytest

from dns_core.errors import InputError
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.decisions import Request, challenger_version, promotions, reject
from dns_ops.releases.registry import bundle_versions, register_bundle
from dns_ops.settings import Settings
from dns_ops.tracking.run_queries import recorded_report, recorded_run, recorded_runs
from dns_ops.tracking.store import Tracking, TrackingError


@pytest.fixture
def registered(workspace: Path, tracking: Tracking) -> Tracking:
    models = workspace / "artifacts" / "models"
    models.mkdir(parents=True)
    (models / "coarse.safetensors").write_bytes(b"weights")
    with reproduction(workspace, Settings(), {"evaluate": {"budget": 0.3}}) as run_id:
        register_bundle(workspace, models, tracking, run_id)
    return tracking


def test_a_challenger_is_rejected_for_a_reason_and_stays_registered(
    workspace: Path, registered: Tracking
) -> None:
    with pytest.raises(InputError, match="for a reason"):
        reject(workspace, registered, Request(who="ann", reason=" "))
    with pytest.raises(InputError, match="not the challenger"):
        reject(workspace, registered, Request(who="ann", version=9, reason="slow"))
    assert reject(workspace, registered, Request(who="ann", reason="slow")) == 1
    assert [version.aliases for version in bundle_versions(registered)] == [()]
    (row,) = promotions(workspace)
    assert (row["action"], row["who"], row["reason"], row["after"]) == ("rejected", "ann", "slow", 0)
    with pytest.raises(InputError, match="no bundle is the challenger"):
        challenger_version(registered)


def test_what_a_run_recorded_is_read_again(registered: Tracking) -> None:
    (run,) = recorded_runs(registered, stage="reproduce")
    assert (run.status, run.params["evaluate.budget"], run.parent) == ("FINISHED", "0.3", "")
    assert recorded_run(registered, run.run_id) == run
    assert recorded_runs(registered, parent=run.run_id) == []
    assert recorded_runs(registered, stage="it's") == []
    with pytest.raises(TrackingError, match="report of run"):
        recorded_report(registered, run.run_id)
