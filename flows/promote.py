"""Flows ``promote`` and ``rollback``: which bundle, with its index, is in service."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact
from pydantic import Field

from dns_core.evaluation.gates import Gate
from dns_core.params import load_params
from dns_ops.releases.decisions import RefusedError, Request
from dns_ops.releases.promotion import promote as promote_version
from dns_ops.releases.promotion import rollback as restore_former
from dns_ops.settings import load_settings
from dns_ops.tracking.store import open_tracking
from flows.progress import flow_progress
from flows.workspace import workspace_of_run


@flow(name="promote")
def promote(version: int = Field(default=0, ge=0), who: str = "flow", reason: str = "") -> None:
    """Promote a version of the bundle; a failed gate fails the run, and is named in its message.

    Args:
        version: of the bundle; 0 is the challenger.
        who: asks, for the history.
        reason: why the gates are not to decide; empty if they are.
    """
    root = Path.cwd()
    limits = load_params(root / "params.yaml").evaluate.gates
    with workspace_of_run(root):
        tracking = open_tracking(root, load_settings(root))
        request = Request(who=who, version=version, reason=reason)
        try:
            gates = promote_version(root, tracking, request, limits, flow_progress())
        except RefusedError as error:
            _show(error.gates)
            raise
    _show(gates)


def _show(gates: Sequence[Gate]) -> None:
    create_table_artifact([asdict(gate) for gate in gates], key="gates", description="What was asked of it")


@flow(name="rollback")
def rollback(who: str = "flow", reason: str = "") -> int:
    """Put the champion before this one back in service, with its index; its version is returned.

    Args:
        who: asks, for the history.
        reason: why, for the history.
    """
    root = Path.cwd()
    with workspace_of_run(root):
        return restore_former(root, open_tracking(root, load_settings(root)), who, reason)
