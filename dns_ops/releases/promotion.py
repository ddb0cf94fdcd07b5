"""Putting a challenger in the champion's place, or not; and putting the former champion back."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from dns_core.errors import InputError
from dns_core.evaluation.gates import Gate, GateLimits, ReleaseFigures, judge_release
from dns_core.measurement.release import measure_release
from dns_core.ports import Progress
from dns_core.workspace import Workspace
from dns_ops.quality.verdict import PASSED
from dns_ops.releases.build import bundle_gate, index_gate, make_release
from dns_ops.releases.decisions import RefusedError, Request, challenger_version, promotions, record_decision
from dns_ops.releases.registry import make_champion, registered_bundle
from dns_ops.releases.release import Release, champion, find_release, put_in_service
from dns_ops.tracking.store import Tracking


def promote(
    root: Path, tracking: Tracking, request: Request, limits: GateLimits, progress: Progress
) -> tuple[Gate, ...]:
    """Promote a version and return its gates, passed or overridden by a reason.

    The decision is on record. Challenger and champion are measured one after the other on the same benchmark.

    Raises:
        InputError: there is no such version, or it is the champion already.
        RefusedError: a gate failed; the champion is as before, and the refusal is on record.
        TrackingError: the registry cannot be reached.
    """
    before = champion(root)
    version = request.version or challenger_version(tracking)
    if version == before:
        raise InputError(f"version {version} is the champion already")
    challenger = make_release(root, tracking, version, progress)
    intact = bundle_gate(tracking, challenger), index_gate(challenger)
    is_intact = all(gate.passed for gate in intact)
    figures = _figures(root, challenger, before, limits, progress) if is_intact else {}
    gates: tuple[Gate, ...] = (*intact, _data_gate(tracking, version))
    if figures:
        gates += judge_release(figures[version], figures.get(before), limits)
    failed = [gate for gate in gates if not gate.passed]
    accepted = not failed or (bool(request.reason) and is_intact)
    if accepted:
        _switch(root, tracking, challenger)
    row = {
        "action": "promoted" if not failed else "forced" if accepted else "refused",
        "version": version,
        "before": before,
        "after": champion(root),
        "reason": request.reason,
        "budget": limits.budget,
        "gates": [asdict(gate) for gate in gates],
        "figures": {str(number): asdict(row) for number, row in figures.items()},
    }
    record_decision(root, request.who, row)
    if not accepted:
        raise RefusedError(f"version {version} is not promoted: {_named(failed)}", gates)
    return gates


def rollback(root: Path, tracking: Tracking, who: str, reason: str = "") -> int:
    """Put the former champion with its index back into service and return its version.

    Raises:
        InputError: there was none.
        CorruptArtefactError: its index is not what was written; nothing has changed then.
    """
    now = champion(root)
    rows = [row for row in promotions(root) if row["after"] == now != row["before"]]
    former = int(rows[-1]["before"]) if rows else 0
    if not former:
        raise InputError(f"there is no champion before version {now}" if now else "there is no champion yet")
    release = find_release(root, former)
    damaged = [gate for gate in (bundle_gate(tracking, release), index_gate(release)) if not gate.passed]
    if damaged:
        raise RefusedError(f"version {former} is not restored: {_named(damaged)}", damaged)
    _switch(root, tracking, release)
    row = {"action": "rolled back", "version": former, "before": now, "after": former, "reason": reason}
    record_decision(root, who, row)
    return former


def _data_gate(tracking: Tracking, version: int) -> Gate:
    """Whether the data that the version learnt from, which may be gone from here, passed validation."""
    found = registered_bundle(tracking, version).data_verdict
    expected = f"{PASSED}, of the data that it learnt from"
    return Gate("data", passed=found == PASSED, expected=expected, found=found)


def _figures(
    root: Path, challenger: Release, before: int, limits: GateLimits, progress: Progress
) -> dict[int, ReleaseFigures]:
    """By version: of the challenger, then of the champion if there is one."""
    releases = [challenger, *([find_release(root, before)] if before else [])]
    return {
        release.version: measure_release(
            Workspace(root), release.models, release.index, limits.budget, progress
        )
        for release in releases
    }


def _switch(root: Path, tracking: Tracking, release: Release) -> None:
    # The registry first: it may refuse, and then what is in service has not changed.
    make_champion(tracking, release.version)
    put_in_service(root, release)


def _named(gates: Sequence[Gate]) -> str:
    return "; ".join(f"{gate.name}: expected {gate.expected}, found {gate.found}" for gate in gates)
