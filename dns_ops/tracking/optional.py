"""Whether what is done is recorded, decided before MLflow is loaded: it is optional, and takes seconds."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from dns_core.ports import NullRunLogger, Progress, RunLogger
from dns_ops.settings import Settings
from dns_ops.tracking.log_socket import line_to_recorder, recorded_elsewhere

PARENT_VARIABLE = "DNS_PARENT_RUN"
"""The setting ``parent_run`` as a variable."""


def recorded_stage(
    root: Path, settings: Settings, name: str, params: Mapping[str, Any], progress: Progress
) -> AbstractContextManager[RunLogger]:
    """Context in which a stage is recorded: here, or by the process that reproduces.

    As `dns_ops.tracking.run_logger.stage_run`; a logger that does nothing if there is no store of runs.
    """
    if not settings.tracking_store(root):
        return nullcontext(NullRunLogger())
    line = line_to_recorder(root, settings.parent_run)
    if line is not None:
        return recorded_elsewhere(line, name, params, progress)
    from dns_ops.tracking.run_logger import stage_run  # noqa: PLC0415

    return stage_run(root, settings, name, params, progress)
