"""A bundle is one version, known by what its files hold."""

import os
from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.registry import bundle_versions, fetch_bundle, register_bundle
from dns_ops.settings import Settings
from dns_ops.tracking.store import Tracking


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("coarse.safetensors", "calibration.json"):
        (folder / name).write_bytes(os.urandom(64))
    return folder


def test_a_bundle_is_registered_once_and_the_newest_is_the_challenger(
    workspace: Path, models: Path, tracking: Tracking, tmp_path: Path
) -> None:
    with reproduction(workspace, Settings(), {}) as run_id:
        first = register_bundle(workspace, models, tracking, run_id)
        again = register_bundle(workspace, models, tracking, run_id)
    assert first == again
    assert (first.version, first.run_id, first.aliases) == (1, run_id, ("challenger",))
    kept = (models / "coarse.safetensors").read_bytes()
    (models / "coarse.safetensors").write_bytes(os.urandom(64))
    with reproduction(workspace, Settings(), {}) as run_id:
        second = register_bundle(workspace, models, tracking, run_id)
    assert [(row.version, row.aliases) for row in bundle_versions(tracking)] == [
        (2, ("challenger",)),
        (1, ()),
    ]
    assert second.fingerprint != first.fingerprint
    assert (fetch_bundle(tracking, 1, tmp_path / "old") / "coarse.safetensors").read_bytes() == kept


def test_an_empty_folder_is_no_bundle(workspace: Path, tracking: Tracking) -> None:
    with pytest.raises(MissingArtefactError, match="expected a bundle"):
        register_bundle(workspace, workspace / "models", tracking, "")


def test_what_is_fetched_is_what_was_registered(
    workspace: Path, models: Path, tracking: Tracking, tmp_path: Path
) -> None:
    with reproduction(workspace, Settings(), {}) as run_id:
        version = register_bundle(workspace, models, tracking, run_id).version
    fetch_bundle(tracking, version, tmp_path / "whole")
    (kept,) = (path for path in workspace.rglob("calibration.json") if "artifacts" in path.parts)
    kept.write_bytes(os.urandom(64))
    with pytest.raises(CorruptArtefactError, match=f"version {version} of the bundle is not what was reg"):
        fetch_bundle(tracking, version, tmp_path / "altered")
