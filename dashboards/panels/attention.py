"""What needs a person's attention, of what is known of the workspace."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboards.formats import counted, message, plain, share
from dns_apps.service.schemas import IndexState
from dns_ops.platform.supervisor import ServiceState
from flows.records import FlowRun

Tone = Literal["error", "warning", "info"]
FAILED = frozenset({"FAILED", "CRASHED"})


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to look at: how bad, what, and what to do; both as Markdown."""

    tone: Tone
    what: str
    todo: str


def notices(
    index: IndexState | None, services: Sequence[ServiceState], runs: Sequence[FlowRun]
) -> list[Notice]:
    """All there is to look at, the worst first.

    Args:
        index: that is served; None if the service does not answer, which the page says itself.
        services: of the platform.
        runs: the newest first; only the newest of a flow counts.
    """
    found = [*_of_services(services), *_of_runs(runs)]
    if index is not None:
        found += _of_index(index)
    return sorted(found, key=lambda notice: ("error", "warning", "info").index(notice.tone))


def _of_services(services: Sequence[ServiceState]) -> Iterator[Notice]:
    for state in services:
        what = {"crashed": "has ended by itself", "hung": "does not respond any more"}.get(state.state)
        if what is not None:
            yield Notice(
                "error", f"The service {plain(state.name)} {what}",
                f"Its log is `.platform/logs/{state.name}.log`; `dns up` starts it again.",
            )  # fmt: skip


def _of_runs(runs: Sequence[FlowRun]) -> Iterator[Notice]:
    newest: dict[str, FlowRun] = {}
    for run in runs:
        newest.setdefault(run.flow, run)
    for run in newest.values():
        if run.state in FAILED:
            why = message(run.message.splitlines()[0][:200]) if run.message else "no reason is given"
            yield Notice("warning", f"The last run of {plain(run.flow)} failed", why)


def _of_index(index: IndexState) -> Iterator[Notice]:
    if not index.healthy:
        yield Notice("error", "The index is not healthy", plain(index.health))
    newer = [row.version for row in index.versions if row.newest and not row.served]
    if newer:
        waits = f"Version {newer[0]} of the index is on disk and not served"
        yield Notice("warning", waits, "Reload it on the page Index.")
    if index.n_quarantined:
        quarantined = f"{counted(index.n_quarantined, 'video')} in quarantine"
        text = f"{quarantined}, coverage {share(index.coverage, 1)}"
        yield Notice("info", text, "The reasons stand on the page Index.")
    if index.n_removed:
        removed = f"{counted(index.n_removed, 'removed video')} still on disk"
        yield Notice("info", removed, "`dns index compact` frees the space.")
