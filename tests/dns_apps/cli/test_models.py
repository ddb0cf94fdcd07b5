"""A bundle is promoted with its index, refused, forced for a reason, and rolled back; all on record."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from dns_core.index import open_index
from dns_core.store.atomic import write_json
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.registry import register_bundle
from dns_ops.settings import Settings
from dns_ops.tracking.store import open_tracking

ROOT = Path(__file__).resolve().parents[3]
QUERY = "copy-of-a.mp4"

Run = Any


def register(root: Path, models: Path) -> int:
    settings = Settings()
    with reproduction(root, settings, {}) as run_id:
        return register_bundle(root, models, open_tracking(root, settings), run_id).version


@pytest.fixture
def workspace(
    tmp_path: Path, videos: Path, models: Path, other_models: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Two registered bundles of another generation each, and three videos to search."""
    root = tmp_path / "workspace"
    shutil.copytree(videos, root / "data" / "test" / "database")
    (root / "data" / "test" / "queries").mkdir()
    shutil.copy(videos / "a.mp4", root / "data" / "test" / "queries" / QUERY)
    truth = {
        "format": 1,
        "queries": {QUERY: {"labels": {"a.mp4": "ND"}}},
        "database": ["a.mp4", "b.mp4", "folder/c.mp4"],
        "tasks": {"DSVR": ["ND"]},
    }
    write_json(root / "data" / "test" / "ground_truth.json", truth)
    limits(root)
    validation(root, success=True)
    monkeypatch.chdir(root)
    monkeypatch.delenv("DNS_TRACKING_URI", raising=False)
    assert [register(root, folder) for folder in (models, other_models)] == [1, 2]
    # What happens to the data later is no concern of a bundle that is registered.
    validation(root, success=False)
    return root


def limits(root: Path, **changed: float) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["evaluate"]["gates"] |= {"p95_query_s": 600, **changed}
    (root / "params.yaml").write_text(yaml.safe_dump(params))


def validation(root: Path, *, success: bool) -> None:
    report = root / "artifacts" / "quality" / "validate_data.json"
    write_json(report, {"name": "validate_data", "success": success, "suites": []})


def in_service(root: Path) -> tuple[str, str]:
    """Version, and the coarse network that made the index."""
    folder = root / "releases" / "champion"
    return folder.readlink().name, open_index(folder / "index").manifest.models["coarse"]


def history(run: Run) -> list[tuple[str, int, int]]:
    rows = json.loads(run("models", "history", "--json").stdout)
    return [(row["action"], row["version"], row["after"]) for row in rows]


def test_a_promotion_that_indexes_again_cuts_videos_as_the_bundle_says(run: Run, workspace: Path) -> None:
    assert run("models", "promote", 1, "--as", "ann").exit_code == 0
    manifest = open_index(workspace / "releases" / "champion" / "index").manifest
    assert manifest.params["chunking"] == {"chunk_frames": 4, "overlap_frames": 0}
    (shard,) = manifest.shards
    assert shard.n_chunks == 2 * shard.n_videos  # six frames each


def test_promotion_refusal_force_and_rollback_are_on_record(run: Run, workspace: Path) -> None:
    first = run("models", "promote", 1, "--as", "ann")
    assert first.exit_code == 0, first.stderr
    champion = in_service(workspace)
    assert champion[0] == "1"

    limits(workspace, bytes_per_video=1)
    refused = run("models", "promote", "--as", "ann")
    assert refused.exit_code == 2
    assert "version 2 is not promoted: bytes per video: expected at most 1" in refused.stderr
    assert in_service(workspace) == champion

    assert run("models", "promote", 2, "--force", "small disk is coming").exit_code == 0
    other = in_service(workspace)
    assert other[0] == "2"
    assert other[1] != champion[1]
    again = run("models", "promote", 2)
    assert (again.exit_code, "champion already" in again.stderr) == (2, True)

    assert run("models", "rollback").exit_code == 0
    assert in_service(workspace) == champion
    versions = json.loads(run("models", "list", "--json").stdout)
    assert [(v["version"], v["aliases"]) for v in versions] == [(2, []), (1, ["champion"])]
    assert history(run) == [
        ("promoted", 1, 1),
        ("refused", 2, 1),
        ("forced", 2, 2),
        ("rolled back", 1, 1),
    ]
    shown = run("models", "history").stdout
    assert "ann" in shown
    assert "failed: bytes per video" in shown
    nothing = run("models", "rollback")
    assert (nothing.exit_code, "no champion before" in nothing.stderr) == (0, False)


def test_models_of_bad_data_are_refused_even_if_the_data_are_good_now(
    run: Run, workspace: Path, models: Path
) -> None:
    worse = workspace / "worse"
    shutil.copytree(models, worse)
    (worse / "note.txt").write_text("another bundle")
    assert register(workspace, worse) == 3
    validation(workspace, success=True)
    refused = run("models", "promote", "--as", "ann")
    assert refused.exit_code == 2
    assert (
        "data: expected passed, of the data that it learnt from, found validate_data failed" in refused.stderr
    )


def test_an_index_that_was_altered_is_never_put_in_service(run: Run, workspace: Path) -> None:
    assert run("models", "promote", 1).exit_code == 0
    assert run("models", "promote", 2).exit_code == 0
    (file,) = (workspace / "releases" / "1" / "index").rglob("coarse.npy")
    file.write_bytes(file.read_bytes()[:-1] + b"\x55")
    refused = run("models", "rollback")
    assert refused.exit_code == 2
    assert "version 1 is not restored" in refused.stderr
    assert in_service(workspace)[0] == "2"
