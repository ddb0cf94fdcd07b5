"""DVC runs what changed and nothing else, with the real stages in a workspace of its own."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from dns_ops.pipeline.reproduce import reproduce

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("probe_videos", "split_videos")


@pytest.fixture
def workspace(workspace_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two stages of dvc.yaml that are quick; what they need of others lies there as if it were given."""
    stages: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    chosen = {"stages": {name: stages[name] for name in STAGES}}
    (workspace_copy / "dvc.yaml").write_text(yaml.safe_dump(chosen))
    shutil.rmtree(workspace_copy / "artifacts" / "probes")
    (workspace_copy / "artifacts" / "split.json").unlink()
    code = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "dns_core", workspace_copy / "dns_core", ignore=code)
    (workspace_copy / ".dvc").mkdir()
    (workspace_copy / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return workspace_copy


def running(output: str) -> list[str]:
    """Stages that DVC says it runs, in order."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def test_reproduce_runs_what_changed_and_nothing_else(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reproduce(workspace)
    assert running(capfd.readouterr().out) == list(STAGES)
    split = workspace / "artifacts" / "split.json"
    assert split.exists()
    first = split.stat().st_mtime_ns

    reproduce(workspace)
    assert running(capfd.readouterr().out) == []
    assert split.stat().st_mtime_ns == first

    reproduce(workspace, ["split_videos.min_frames=3"])
    assert running(capfd.readouterr().out) == ["split_videos"]
    assert "min_frames: 3" in (workspace / "params.yaml").read_text()
