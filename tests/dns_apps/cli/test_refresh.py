"""The index in service follows the videos, and only what changed is described."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dns_core.index import open_index
from dns_core.retrieval.pipeline import FeaturePipeline
from dns_ops.releases.release import Release, put_in_service

Run = Any


@pytest.fixture
def workspace(
    tmp_path: Path, videos: Path, models: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Models and index of three videos in service."""
    root = tmp_path / "workspace"
    shutil.copytree(videos, root / "data" / "test" / "database")
    for collection in ("train", "test/queries"):
        (root / "data" / collection).mkdir()
        shutil.copy(videos / "a.mp4", root / "data" / collection / "a.mp4")
    release = Release(1, root / "releases" / "1")
    shutil.copytree(models, release.models)
    shutil.copytree(built, release.index)
    put_in_service(root, release)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    (root / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))
    monkeypatch.chdir(root)
    return root


def test_what_is_new_is_added_what_is_gone_removed_and_nothing_else_described(
    run: Run, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described: list[str] = []
    features = FeaturePipeline.features

    def counting(self: FeaturePipeline, path: Path, video_id: str) -> Any:
        described.append(video_id)
        return features(self, path, video_id)

    monkeypatch.setattr(FeaturePipeline, "features", counting)

    def refreshed() -> dict[str, Any]:
        described.clear()
        done = run("index", "refresh", "--json")
        assert done.exit_code == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert not described  # in this test all content is in the index already, under other names
        return found

    first = refreshed()
    database, index = workspace / "data" / "test" / "database", workspace / "releases" / "champion" / "index"
    before = set(open_index(index).ids)
    assert first["added"] == first["removed"] == []

    (database / "b.mp4").unlink()
    shutil.copy(database / "folder" / "c.mp4", database / "new.mp4")
    shutil.copy(database / "folder" / "c.mp4", database / "a.mp4")  # another video under an old name
    done = refreshed()
    assert (done["added"], done["removed"], done["kept"]) == (["a.mp4", "new.mp4"], ["b.mp4"], 2)
    assert done["version"] != first["version"]
    assert set(open_index(index).ids) == (before | {"new.mp4"}) - {"b.mp4"}
    assert refreshed()["added"] == []


def test_without_a_champion_there_is_nothing_to_refresh(run: Run, workspace: Path) -> None:
    (workspace / "releases" / "champion").unlink()
    refused = run("index", "refresh")
    assert (refused.exit_code, "no bundle is in service" in refused.stderr) == (2, True)
