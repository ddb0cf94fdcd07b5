"""Decisions on bundles: their author, reason and outcome, and turning a challenger down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dns_core.errors import DnsError, InputError
from dns_core.evaluation.gates import Gate
from dns_ops.releases.audit_log import append_row, read_rows
from dns_ops.releases.registry import BUNDLE, CHALLENGER, bundle_versions
from dns_ops.releases.release import champion, releases_folder
from dns_ops.tracking.store import Tracking, tracking_errors


class RefusedError(DnsError):
    """A challenger did not pass every gate; the message names those that it failed.

    Args:
        message: one line.
        gates: all that it met.
    """

    def __init__(self, message: str, gates: Sequence[Gate] = ()) -> None:
        super().__init__(message)
        self.gates = tuple(gates)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        who: asks.
        version: of the bundle; 0 is the challenger.
        reason: why it is promoted although a gate fails; empty if the gates decide.
    """

    who: str
    version: int = 0
    reason: str = ""


def reject(root: Path, tracking: Tracking, request: Request) -> int:
    """Reject the challenger: remove its alias and record the reason; returns its version.

    It stays registered, and can still be promoted by its number.

    Raises:
        InputError: no reason is given, or no challenger is, or the version is not the challenger.
        TrackingError: the registry cannot be reached.
    """
    if not request.reason.strip():
        raise InputError("a challenger is rejected for a reason; none was given")
    challenger = challenger_version(tracking)
    version = request.version or challenger
    if version != challenger:
        raise InputError(f"version {version} is not the challenger; that is version {challenger}")
    with tracking_errors("could not remove the challenger alias"):
        tracking.client.delete_registered_model_alias(BUNDLE, CHALLENGER)
    now = champion(root)
    row = {"action": "rejected", "version": version, "before": now, "after": now, "reason": request.reason}
    record_decision(root, request.who, row)
    return version


def promotions(root: Path) -> list[dict[str, Any]]:
    """Every decision, the oldest first.

    Raises:
        CorruptArtefactError: the history was altered.
    """
    return read_rows(_history(root))


def record_decision(root: Path, who: str, row: Mapping[str, object]) -> None:
    """Append a row to the history, with the user and the time."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    append_row(_history(root), {"at": at, "who": who, **row})


def challenger_version(tracking: Tracking) -> int:
    """The version that waits to be promoted.

    Raises:
        InputError: there is none.
        TrackingError: the registry cannot be read.
    """
    known = bundle_versions(tracking)
    for version in known:
        if CHALLENGER in version.aliases:
            return version.version
    if known:
        raise InputError("no bundle is the challenger; name the version")
    raise InputError("no bundle is registered yet; `dns reproduce` trains and registers one")


def _history(root: Path) -> Path:
    return releases_folder(root) / "history.jsonl"
