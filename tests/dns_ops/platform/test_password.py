"""The password of the platform: one file, the user's alone."""

import stat
from pathlib import Path

import pytest

from dns_core.errors import MissingArtefactError
from dns_ops.platform.password import make_password, password_file, read_password, require_password
from dns_ops.platform.services import enabled_services, flow_environment, gpu_worker_environment
from dns_ops.settings import Settings


def test_it_is_made_once_and_is_the_users_alone(tmp_path: Path) -> None:
    assert read_password(tmp_path) == ""
    with pytest.raises(MissingArtefactError, match="dns up"):
        require_password(tmp_path)
    make_password(tmp_path)
    file, made = password_file(tmp_path), require_password(tmp_path)
    user, _, secret = made.partition(":")
    assert user == "dns"
    assert len(secret) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    make_password(tmp_path)
    assert read_password(tmp_path) == made
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_parts_are_told_by_their_environment_and_never_by_an_argument(tmp_path: Path) -> None:
    make_password(tmp_path)
    made = read_password(tmp_path)
    services = {service.name: service for service in enabled_services(tmp_path, Settings())}
    assert services["prefect"].environment["PREFECT_SERVER_API_AUTH_STRING"] == made
    assert services["worker-cpu"].environment["PREFECT_API_AUTH_STRING"] == made
    assert services["worker-cpu"].environment["MLFLOW_TRACKING_PASSWORD"] == made.partition(":")[2]
    assert services["dashboard"].environment["PREFECT_API_AUTH_STRING"] == made
    secret = made.partition(":")[2]
    assert not any(secret in word for service in services.values() for word in service.command)


def test_another_server_is_not_told_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_password(tmp_path)
    elsewhere = Settings(tracking_uri="http://elsewhere:5000")
    assert "MLFLOW_TRACKING_PASSWORD" not in flow_environment(tmp_path, elsewhere)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert "PREFECT_API_AUTH_STRING" in gpu_worker_environment(tmp_path, Settings())
    monkeypatch.setenv("PREFECT_API_URL", "http://elsewhere:4200/api")
    assert "PREFECT_API_AUTH_STRING" not in gpu_worker_environment(tmp_path, Settings())
