"""Running the DAG with DVC: one order, one cache, every stage a child process with its own memory."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from ruamel.yaml import YAML

from dns_core.errors import InputError
from dns_core.params import apply_overrides, load_params
from dns_core.store.atomic import atomic_file
from dns_ops.dag import PipelineError
from dns_ops.pipeline.environment import stage_environment
from dns_ops.pipeline.guarded_process import run_in_foreground
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.pipeline.workspace_lock import workspace_lock
from dns_ops.settings import load_settings
from dns_ops.tracking.optional import PARENT_VARIABLE


def reproduce(root: Path, overrides: Sequence[str] = ()) -> None:
    """Run every stage whose inputs, code or params changed; return when all is up to date.

    Where runs are recorded, one run is the parent of the stages', and new models become a new version.

    Args:
        root: the workspace: holds ``dvc.yaml``, ``params.yaml`` and ``data/``.
        overrides: ``stage.key=value``, validated and then written into ``params.yaml``, since DVC decides
            from that file what has to run again.

    Raises:
        InputError: if the folder is not a workspace.
        ParamsError: if the params do not validate; nothing has run then.
        PipelineError: if a stage failed.
        TrackingError: if runs are to be recorded and cannot be.
        WorkspaceBusyError: another process runs stages in this workspace.
    """
    if not (root / "dvc.yaml").is_file():
        raise InputError(f"{root}: expected a workspace with dvc.yaml and params.yaml, found no dvc.yaml")
    with workspace_lock(root):
        _reproduce(root, overrides)


def _reproduce(root: Path, overrides: Sequence[str]) -> None:
    settings = load_settings(root)
    params = root / "params.yaml"
    chosen = load_params(params, overrides)
    if overrides:
        write_overrides(params, overrides)
    with reproduction(root, settings, chosen.model_dump()) as run_id:
        if _dvc(root, {PARENT_VARIABLE: run_id}, "repro") != 0:
            raise PipelineError("the pipeline stopped: see the failed stage above; run again to resume")


def write_overrides(params: Path, overrides: Sequence[str]) -> None:
    """Change the values of a params file in place; its comments and order stay.

    Args:
        params: the file; what the overrides make of it validates.
        overrides: ``stage.key=value``.
    """
    round_trip = YAML()
    round_trip.preserve_quotes = True
    round_trip.width = 4096
    text = params.read_text(encoding="utf-8")
    content = round_trip.load(text)
    # The values as every stage reads them: the mappings that keep comments are ruamel's own.
    changed = apply_overrides(yaml.safe_load(text), overrides)
    for override in overrides:
        *parents, last = override.partition("=")[0].split(".")
        old, new = content, changed
        for parent in parents:
            old, new = old[parent], new[parent]
        old[last] = new[last]
    with atomic_file(params) as path, path.open("w", encoding="utf-8") as file:
        round_trip.dump(content, file)


def _dvc(root: Path, variables: Mapping[str, str], *arguments: str) -> int:
    """Exit code of a DVC command; its output, and that of the stages, goes to the terminal."""
    command = [sys.executable, "-m", "dvc", *arguments]
    return run_in_foreground(command, cwd=root, environment=stage_environment(variables))
