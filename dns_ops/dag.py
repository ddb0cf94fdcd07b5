"""The offline pipeline as DVC sees it: which stages there are, what each needs and writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx
from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.stage import PipelineStage

from dns_core.errors import DnsError, InputError


class PipelineError(DnsError):
    """A stage of the pipeline failed; its own message stands above."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stage, or one item of a matrix stage.

    Attributes:
        name: ``stage`` or ``stage@item``, as ``dns stage`` takes it.
        needs: names of the steps whose outputs it reads.
        outputs: what it writes, relative to the workspace.
    """

    name: str
    needs: tuple[str, ...]
    outputs: tuple[Path, ...]


def read_dag(root: Path) -> tuple[Step, ...]:
    """Every step of ``dvc.yaml``, each after those that it needs.

    Raises:
        InputError: the folder is no workspace, or its ``dvc.yaml`` cannot be understood.
    """
    with open_workspace(root) as repo:
        # Videos under DVC are stages to it too, which never run and have no name.
        known = [stage for stage in repo.index.stages if isinstance(stage, PipelineStage)]
        graph = repo.index.graph.subgraph(known)
        # An edge of DVC's points to what is needed. Ties keep the order of the file.
        order = {stage.name: place for place, stage in enumerate(known)}
        stages = networkx.lexicographical_topological_sort(
            graph.reverse(), key=lambda stage: order[stage.name]
        )
        return tuple(_step(stage, graph) for stage in stages)


@contextmanager
def open_workspace(root: Path) -> Iterator[Any]:
    """Yield DVC's view of the workspace.

    Raises:
        InputError: the folder is no workspace, or DVC cannot read it.
    """
    if not (root / "dvc.yaml").is_file():
        raise InputError(f"{root}: expected a workspace with dvc.yaml and params.yaml, found no dvc.yaml")
    try:
        with Repo(str(root)) as repo:
            repo.scm_context.quiet = True  # it advises to run commands of git's after each of ours
            yield repo
    except DvcException as error:
        raise InputError(f"{root}: {error}") from error


def _step(stage: Any, graph: Any) -> Step:
    return Step(
        name=stage.name,
        needs=tuple(sorted(needed.name for needed in graph.successors(stage))),
        outputs=tuple(Path(str(output.def_path)) for output in stage.outs),
    )
