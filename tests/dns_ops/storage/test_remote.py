"""Another clone with an empty cache gets from the bucket what one clone made, and computes nothing."""

import shutil
from pathlib import Path

import pytest
from dvc.repo import Repo

from dns_ops.dag import read_dag
from dns_ops.pipeline.step_runner import steps_up_to_date
from dns_ops.settings import Settings
from dns_ops.storage.bucket import Bucket
from dns_ops.storage.remote import connect_remote

PIPELINE = "stages:\n  first: {cmd: cp given.txt first.txt, deps: [given.txt], outs: [first.txt]}\n"


def clone(root: Path) -> Path:
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "given.txt").write_text("given")
    return root


def test_what_one_clone_pushed_another_pulls_and_need_not_run(
    bucket: Bucket, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    one, other = clone(tmp_path / "one"), clone(tmp_path / "other")
    for root in (one, other):
        assert connect_remote(root, settings) == f"s3://{bucket.name}/dvc"
        assert "very-secret" not in (root / ".dvc" / "config.local").read_text()
    monkeypatch.chdir(one)
    with Repo() as repo:
        repo.reproduce()
        assert repo.push() == 1
    shutil.copy(one / "dvc.lock", other / "dvc.lock")
    monkeypatch.chdir(other)
    with Repo() as repo:
        repo.pull()
        assert repo.reproduce() == []
    assert (other / "first.txt").read_text() == "given"
    assert steps_up_to_date(other, read_dag(other)) == {"first"}
