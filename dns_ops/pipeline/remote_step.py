"""Steps of the DAG that another machine runs: their inputs, and their files through DVC's remote."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException

from dns_core.errors import InputError
from dns_core.store.atomic import atomic_file
from dns_ops.dag import PipelineError, open_workspace, read_dag
from dns_ops.provenance import code_commit


@dataclass(frozen=True, slots=True)
class Handover:
    """What a step depends on besides files.

    Attributes:
        home: machine and folder of the workspace that asks for the step; a worker there needs nothing else.
        commit: of the code there.
        params: text of ``params.yaml``.
        lock: text of ``dvc.lock``, which names the content of every file.
    """

    home: str
    commit: str
    params: str
    lock: str


def export_step(root: Path, name: str) -> Handover:
    """Push what a step reads to DVC's remote, if any, and return what another machine needs to run it.

    Raises:
        PipelineError: the remote does not take it.
    """
    _move(root, "push", _needed_by(root, name))
    lock = root / "dvc.lock"
    return Handover(
        home=home_of(root),
        commit=_commit(root),
        params=(root / "params.yaml").read_text(encoding="utf-8"),
        lock=lock.read_text(encoding="utf-8") if lock.is_file() else "",
    )


def import_step(root: Path, handover: Handover, name: str) -> None:
    """Check out the commit's inputs and parameters that the step needs.

    Raises:
        InputError: its code is another, or it has no remote of DVC's.
        PipelineError: the remote does not have what the step reads.
    """
    if _commit(root) != handover.commit:
        raise InputError(
            f"{root}: expected the code of commit {handover.commit[:12]}, found {_commit(root)[:12]}"
        )
    if not _has_remote(root):
        raise InputError(
            f"{root}: {name} was asked for elsewhere; `dns storage connect` says where files are"
        )
    _write(root / "params.yaml", handover.params)
    _write(root / "dvc.lock", handover.lock)
    _move(root, "pull", _needed_by(root, name))


def push_outputs(root: Path, name: str) -> None:
    """Push what the step wrote to the remote, with a record of what it was made from.

    Raises:
        PipelineError: the remote does not take it.
    """
    _move(root, "push", [name], run_cache=True)


def pull_run_cache(root: Path) -> None:
    """Pull DVC's run cache, so that steps that ran elsewhere are restored and not run.

    Raises:
        PipelineError: the remote does not give it.
    """
    if _has_remote(root):
        with open_workspace(root) as repo, _refused("be read"):
            repo.stage_cache.pull(None)


def push_everything(root: Path) -> None:
    """Push everything that DVC keeps of this workspace, videos and outputs of stages, to its remote.

    Raises:
        InputError: there is no remote.
        PipelineError: it does not take it.
    """
    if not _has_remote(root):
        raise InputError(f"{root}: DVC has no remote to push to; `dns storage connect` makes the bucket one")
    with open_workspace(root) as repo, _refused("be pushed to"):
        repo.push(run_cache=True)


def home_of(root: Path) -> str:
    """This machine and the folder of the workspace."""
    return f"{socket.gethostname()}:{root.resolve()}"


def _needed_by(root: Path, name: str) -> Sequence[str]:
    return next((step.needs for step in read_dag(root) if step.name == name), ())


def _move(root: Path, direction: str, targets: Sequence[str], **options: Any) -> None:
    if not targets or not _has_remote(root):
        return
    with open_workspace(root) as repo, _refused(f"be used to {direction} {', '.join(targets)}"):
        # Names alone are looked up where the process is.
        getattr(repo, direction)([f"{root / 'dvc.yaml'}:{name}" for name in targets], **options)


@contextmanager
def _refused(what: str) -> Iterator[None]:
    try:
        yield
    except (DvcException, OSError) as error:
        raise PipelineError(f"DVC's remote cannot {what}: {error}") from error


def _has_remote(root: Path) -> bool:
    with open_workspace(root) as repo:
        return bool(repo.config["core"].get("remote"))


def _commit(root: Path) -> str:
    """Overrides are part of ``params.yaml``, which travels too."""
    return code_commit(root).removesuffix("-dirty")


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
