"""A bundle is one version, known by what its files hold."""

import os
import pickle
import shutil
from contextlib import suppress
from pathlib import Path

import mlflow
import pytest
import yaml

from dns_core.errors import CorruptArtefactError, MissingArtefactError
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.registry import bundle_versions, fetch_bundle, register_bundle
from dns_ops.settings import Settings
from dns_ops.tracking.store import Tracking
from tests.oracles.malicious_pickle import Command


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


def hostile_code(model: Path, proof: Path) -> None:
    (model / "bundle_model.py").write_text(f"from pathlib import Path\nPath({str(proof)!r}).touch()\n")


def hostile_pickle(model: Path, proof: Path) -> None:
    (model / "python_model.pkl").write_bytes(pickle.dumps(Command(proof)))
    described = yaml.safe_load((model / "MLmodel").read_text())
    flavor = described["flavors"]["python_function"]
    del flavor["model_code_path"]
    flavor |= {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}
    (model / "MLmodel").write_text(yaml.safe_dump(described))


def test_nothing_that_another_registered_beside_the_models_is_run(
    workspace: Path, models: Path, tracking: Tracking, tmp_path: Path
) -> None:
    with reproduction(workspace, Settings(), {}) as run_id:
        version = register_bundle(workspace, models, tracking, run_id).version
    (described,) = workspace.rglob("MLmodel")
    for put in (hostile_code, hostile_pickle):
        proof = tmp_path / put.__name__
        put(described.parent, proof)
        fetch_bundle(tracking, version, tmp_path / f"fetched-{put.__name__}")
        assert not proof.exists()
        with suppress(Exception):  # what it loads is no model
            mlflow.pyfunc.load_model(str(described.parent))
        assert proof.exists()  # so who loads the model does run it


def test_a_version_that_holds_no_bundle_is_one_clear_error(
    workspace: Path, models: Path, tracking: Tracking, tmp_path: Path
) -> None:
    with reproduction(workspace, Settings(), {}) as run_id:
        version = register_bundle(workspace, models, tracking, run_id).version
    (described,) = workspace.rglob("MLmodel")
    artifacts = described.parent / "artifacts"

    def refused(found: str) -> None:
        said = f"version {version} of the bundle: expected one folder of models, found {found}"
        with pytest.raises(CorruptArtefactError, match=said):
            fetch_bundle(tracking, version, tmp_path / found)

    (artifacts / "another").mkdir()
    (artifacts / "another" / "x").touch()
    refused("another, models")
    shutil.rmtree(artifacts)
    refused("nothing")
    artifacts.mkdir()
    (artifacts / "models").touch()
    refused("models, a file")
