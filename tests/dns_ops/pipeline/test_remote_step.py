"""A step runs in another clone, and its outputs come back without being made again."""

import shutil
from pathlib import Path

import pytest

from dns_core.errors import InputError
from dns_ops.pipeline.guarded_process import Children
from dns_ops.pipeline.remote_step import (
    export_step,
    home_of,
    import_step,
    pull_run_cache,
    push_everything,
    push_outputs,
)
from dns_ops.pipeline.step_runner import StepRunner

PIPELINE = """
stages:
  first: {cmd: cp given.txt first.txt, deps: [given.txt], outs: [first.txt]}
  second: {cmd: cp first.txt second.txt, deps: [first.txt], params: [chosen], outs: [second.txt]}
"""
CONFIG = "[core]\n    no_scm = True\n    analytics = False\n"


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two workspaces of the same code that share a remote; only the first has the data."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    here, there = tmp_path / "here", tmp_path / "there"
    for root in (here, there):
        (root / ".dvc").mkdir(parents=True)
        remote = f"    remote = shared\n['remote \"shared\"']\n    url = {tmp_path / 'remote'}\n"
        (root / ".dvc" / "config").write_text(CONFIG + remote)
        (root / "dvc.yaml").write_text(PIPELINE)
        (root / "params.yaml").write_text(f"chosen: {root.name}\n")
    (here / "given.txt").write_text("good")
    return here, there


def run(root: Path, name: str, *, pull: bool = False) -> bool:
    with Children() as children:
        return StepRunner(root, "", children, 60).run(name, lambda _line: None, pull=pull)


def test_what_another_clone_has_made_is_restored_here(clones: tuple[Path, Path]) -> None:
    here, there = clones
    assert run(here, "first")
    handover = export_step(here, "second")
    assert handover.home == home_of(here) != home_of(there)

    import_step(there, handover, "second")
    assert (there / "params.yaml").read_text() == "chosen: here\n"
    assert (there / "first.txt").read_text() == "good"
    assert run(there, "second")
    push_outputs(there, "second")

    pull_run_cache(here)
    assert not run(here, "second", pull=True)
    assert (here / "second.txt").read_text() == "good"


def test_everything_goes_to_the_remote_if_there_is_one(clones: tuple[Path, Path]) -> None:
    here, there = clones
    assert run(here, "first")
    push_everything(here)
    import_step(there, export_step(here, "second"), "second")
    assert (there / "first.txt").read_text() == "good"
    (there / ".dvc" / "config").write_text(CONFIG)
    with pytest.raises(InputError, match="no remote to push to"):
        push_everything(there)


def test_a_clone_of_other_code_or_without_a_remote_refuses(
    clones: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = clones
    run(here, "first")
    handover = export_step(here, "second")
    shutil.rmtree(there / ".dvc" / "cache", ignore_errors=True)
    (there / ".dvc" / "config").write_text(CONFIG)
    with pytest.raises(InputError, match="dns storage connect"):
        import_step(there, handover, "second")
    monkeypatch.setattr("dns_ops.pipeline.remote_step.code_commit", lambda _root: "f" * 40)
    with pytest.raises(InputError, match="expected the code of commit"):
        import_step(there, handover, "second")
