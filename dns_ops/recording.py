"""Whether what is done is recorded, decided before MLflow is loaded: it is optional, and takes seconds."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dns_core.ports import NullRunLogger, Progress, RunLogger
from dns_ops.relay import line_to_recorder, recorded_elsewhere
from dns_ops.settings import Settings

PARENT_VARIABLE = "DNS_PARENT_RUN"
"""The setting ``parent_run`` as a variable."""


def recorded_reproduction(
    root: Path, settings: Settings, params: Mapping[str, Any]
) -> AbstractContextManager[str]:
    """As `dns_ops.runs.reproduction`; gives an empty id if nothing is recorded."""
    if not settings.tracking_store(root):
        return nullcontext("")
    from dns_ops.runs import reproduction  # noqa: PLC0415

    return reproduction(root, settings, params)


def recorded_stage(
    root: Path, settings: Settings, name: str, params: Mapping[str, Any], progress: Progress
) -> AbstractContextManager[RunLogger]:
    """As `dns_ops.runs.stage_run`, or told to the process that reproduces; nothing if nothing is recorded."""
    if not settings.tracking_store(root):
        return nullcontext(NullRunLogger())
    line = line_to_recorder(root, settings.parent_run)
    if line is not None:
        return recorded_elsewhere(line, name, params, progress)
    from dns_ops.runs import stage_run  # noqa: PLC0415

    return stage_run(root, settings, name, params, progress)
