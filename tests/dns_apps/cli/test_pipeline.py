"""The commands of the offline pipeline leave the files that their options ask for."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import Result

from dns_core.datasets.ground_truth import read_ground_truth

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., Result]
SETTINGS = "artifacts/models/index_settings.json"
PIPELINE = f"""
stages:
  configure_index:
    cmd: dns stage configure_index
    params: [configure_index]
    outs: [{SETTINGS}]
  evaluate:
    cmd: cp given.json artifacts/report.json
    deps: [given.json, {SETTINGS}]
    outs: [artifacts/report.json]
"""
REPORT = {
    "queries": 3,
    "database": 8,
    "coverage": 1.0,
    "methods": [
        {
            "method": "teacher",
            "budget": None,
            "map": {"DSVR": 0.625},
            "seconds_per_query": 0.25,
            "bytes_per_video": 1000,
        }
    ],
    "selection": {},
    "segment_f1": {},
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose pipeline is one quick stage and a report that is given; the working directory."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.setenv("DNS_TRACKING_URI", "off")
    monkeypatch.setenv("DNS_DEVICE", "cpu")
    root = tmp_path / "workspace"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "given.json").write_text(json.dumps(REPORT))
    shutil.copy(ROOT / "params.yaml", root)
    monkeypatch.chdir(root)
    return root


def chunk_frames(workspace: Path) -> int:
    written = json.loads((workspace / SETTINGS).read_text())
    return int(written["chunking"]["chunk_frames"])


def test_a_stage_takes_values_in_place_of_those_of_the_file(run: Run, workspace: Path) -> None:
    given = (workspace / "params.yaml").read_text()
    done = run("stage", "configure_index", "--set", "configure_index.chunk_frames=64")
    assert done.exit_code == 0, done.output
    assert chunk_frames(workspace) == 64
    assert (workspace / "params.yaml").read_text() == given


@pytest.mark.slow
def test_reproduce_writes_the_values_runs_what_changed_and_prints_the_report(
    run: Run, workspace: Path
) -> None:
    done = run("reproduce", "--set", "configure_index.chunk_frames=64")
    assert done.exit_code == 0, done.output
    assert chunk_frames(workspace) == 64
    params = yaml.safe_load((workspace / "params.yaml").read_text())
    assert params["configure_index"]["chunk_frames"] == 64
    assert "0.625" in done.output
    made = (workspace / SETTINGS).stat().st_mtime_ns

    again = run("reproduce")
    assert again.exit_code == 0, again.output
    assert (workspace / SETTINGS).stat().st_mtime_ns == made
    assert "0.625" in again.output


def test_edited_copies_are_those_that_were_asked_for(run: Run, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("corpus", "edit", "--videos", videos, "--out", out)
    done = run(*command, "--seed", 3, "--edits", "crop, blur,")
    assert done.exit_code == 0, done.output
    recipes = [json.loads(path.read_text()) for path in sorted((out / "recipes").rglob("*.json"))]
    assert sorted((recipe["edits"], recipe["seed"]) for recipe in recipes) == sorted(
        [(["crop"], 3), (["blur"], 3)] * 3
    )
    truth = read_ground_truth(out / "ground_truth.json")
    assert sorted(truth.queries) == sorted(
        path.relative_to(out / "queries").as_posix() for path in (out / "queries").rglob("*.mp4")
    )
