"""One step of the DAG: whether it must run, and running it with DVC alone."""

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dns_ops.dag import PipelineError, Step, open_workspace
from dns_ops.pipeline.environment import stage_environment
from dns_ops.pipeline.guarded_process import Children
from dns_ops.tracking.optional import PARENT_VARIABLE

_EXITED = re.compile(r"failed to run: .*, exited with (-?\d+)")
_WRONG_INPUT = 2


class WrongInputError(PipelineError):
    """A stage refused what it was given; trying again changes nothing."""


def steps_up_to_date(root: Path, steps: Sequence[Step]) -> frozenset[str]:
    """Names of the steps that certainly need not run: neither they nor what they rest on has changed."""
    with open_workspace(root) as repo:
        # Outside of the workspace DVC writes the file before the name.
        changed = {place.rpartition(":")[2] for place in repo.status()}
    sure: set[str] = set()
    for step in steps:
        if step.name not in changed and sure.issuperset(step.needs):
            sure.add(step.name)
    return frozenset(sure)


@dataclass(frozen=True, slots=True)
class StepRunner:
    """Runs single steps of a workspace with DVC.

    Attributes:
        root: the workspace.
        run_id: the parent run that steps are recorded under; empty for none.
        children: whose end ends the steps.
        timeout_s: the longest that a step may take.
    """

    root: Path
    run_id: str
    children: Children
    timeout_s: float

    def run(self, name: str, on_line: Callable[[str], object], *, pull: bool = False) -> bool:
        """Whether the step had to run, now that its outputs are up to date.

        Args:
            name: of the step.
            on_line: is given each line of DVC's and the stage's output.
            pull: look in DVC's remote for what was made elsewhere.

        Raises:
            WrongInputError: the stage said that its input is wrong.
            PipelineError: it failed in any other way; another try may do better.
        """
        lines: list[str] = []

        def note(line: str) -> None:
            lines.append(line)
            on_line(line)

        options = ["--single-item", *(["--pull"] if pull else [])]
        code = self.children.run(
            [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", *options, name],
            cwd=self.root,
            environment=stage_environment({PARENT_VARIABLE: self.run_id}),
            on_line=note,
            timeout_s=self.timeout_s,
        )
        if code != 0:
            raise _failure(name, code, lines)
        return any(line.startswith("Running stage") for line in lines)


def _failure(name: str, code: int, lines: Sequence[str]) -> PipelineError:
    complaint = next(
        (line for line in reversed(lines) if line.startswith("dns: ")), lines[-1] if lines else ""
    )
    exited = next((int(found[1]) for line in lines if (found := _EXITED.search(line))), code)
    kind = WrongInputError if exited == _WRONG_INPUT else PipelineError
    return kind(f"{name}: exit code {exited}: {complaint}")
