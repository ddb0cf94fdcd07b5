"""A workspace with a store of runs, made once: a new database takes seconds."""

import shutil
from pathlib import Path

import mlflow
import pytest

from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import Settings, platform_folder
from dns_ops.tracking.store import Tracking, open_tracking


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*Settings.model_fields, *(f"serve_{name}" for name in ServiceSettings.model_fields)):
        monkeypatch.delenv(f"DNS_{name}".upper(), raising=False)


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of MLflow with no table filled."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def workspace(tmp_path: Path, empty_store: Path) -> Path:
    """A folder whose own store of runs is there and empty."""
    root = tmp_path / "workspace"
    platform_folder(root).mkdir(parents=True)
    shutil.copy(empty_store, platform_folder(root) / "mlflow.db")
    return root


@pytest.fixture
def tracking(workspace: Path) -> Tracking:
    """The workspace's store of runs."""
    return open_tracking(workspace, Settings())
