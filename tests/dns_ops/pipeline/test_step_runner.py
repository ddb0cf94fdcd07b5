"""Steps run one by one with DVC, in a small workspace of shell commands."""

import os
import subprocess
from pathlib import Path

import pytest

from dns_ops.dag import PipelineError, read_dag
from dns_ops.pipeline.guarded_process import Children
from dns_ops.pipeline.reproduce import reproduce
from dns_ops.pipeline.step_runner import StepRunner, WrongInputError, steps_up_to_date
from dns_ops.pipeline.workspace_lock import Holder, WorkspaceBusyError, workspace_holder, workspace_lock

PIPELINE = """
stages:
  first: {cmd: cp given.txt first.txt, deps: [given.txt], outs: [first.txt]}
  second: {cmd: cp first.txt second.txt, deps: [first.txt], outs: [second.txt]}
  aside: {cmd: "echo aside > aside.txt", outs: [aside.txt]}
  refusing: {cmd: "echo 'dns: not a video' >&2; exit 2", outs: [never.txt]}
  dying: {cmd: "kill -9 $$", outs: [never-either.txt]}
"""


@pytest.fixture
def pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    root = tmp_path / "pipeline"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "given.txt").write_text("1")
    return root


def run(root: Path, name: str) -> bool:
    with Children() as children:
        return StepRunner(root, "", children, timeout_s=60).run(name, lambda _: None)


def test_a_step_runs_if_it_must_and_its_successors_are_then_in_doubt(pipeline: Path) -> None:
    steps = read_dag(pipeline)
    assert steps_up_to_date(pipeline, steps) == frozenset()
    assert [run(pipeline, name) for name in ("first", "second", "aside")] == [True, True, True]
    assert run(pipeline, "first") is False
    assert steps_up_to_date(pipeline, steps) == {"first", "second", "aside"}
    (pipeline / "given.txt").write_text("2")
    assert steps_up_to_date(pipeline, steps) == {"aside"}


def test_wrong_input_is_told_from_a_crash(pipeline: Path) -> None:
    with pytest.raises(WrongInputError, match="not a video"):
        run(pipeline, "refusing")
    with pytest.raises(PipelineError, match="exit code") as error:
        run(pipeline, "dying")
    assert not isinstance(error.value, WrongInputError)


def test_only_one_process_works_in_a_workspace(pipeline: Path) -> None:
    with workspace_lock(pipeline):
        with pytest.raises(WorkspaceBusyError, match=str(os.getpid())), workspace_lock(pipeline):
            pass
        with pytest.raises(WorkspaceBusyError, match="wait for it or cancel it"):
            reproduce(pipeline)
        held = subprocess.run(["flock", "-n", ".platform/flow.lock", "true"], cwd=pipeline, check=False)
        assert held.returncode == 1
    with workspace_lock(pipeline, holder=Holder("the run brave-cat of reproduce", "id of it")):
        holder = workspace_holder(pipeline)
        assert holder == Holder("the run brave-cat of reproduce", "id of it", os.getpid())
    assert workspace_holder(pipeline) is None
