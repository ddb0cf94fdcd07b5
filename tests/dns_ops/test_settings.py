"""Settings come from the environment and from .env; what is wrong is said without showing secrets."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dns_ops.settings import Settings, SettingsError, load_settings, unknown_names


def test_without_settings_everything_is_local(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.device == "auto"
    assert settings.tracking_store(tmp_path) == f"sqlite:///{tmp_path}/.platform/mlflow.db"


def test_a_variable_outranks_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DNS_DEVICE=cpu\nDNS_TRACKING_URI=off\nOTHER=1\n")
    assert load_settings(tmp_path).device == "cpu"
    assert load_settings(tmp_path).tracking_store(tmp_path) == ""
    monkeypatch.setenv("DNS_DEVICE", "auto")
    assert load_settings(tmp_path).device == "auto"


def test_a_misspelt_name_in_the_file_is_an_error_that_does_not_show_the_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DNS_DEVISE=secret\n")
    with pytest.raises(SettingsError, match=r"DNS_DEVISE.*DNS_DEVICE") as error:
        load_settings(tmp_path)
    assert "secret" not in str(error.value)


def test_a_value_that_cannot_be_is_an_error_that_does_not_show_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DNS_DEVICE", "secret")
    with pytest.raises(SettingsError, match=r"DNS_DEVICE.*auto") as error:
        load_settings(tmp_path)
    assert "secret" not in str(error.value)


def test_names_of_others_are_no_concern_of_ours() -> None:
    assert unknown_names(["DNS_DEVICE", "PATH", "DNS_SERVER"]) == ["DNS_SERVER"]


@pytest.mark.parametrize(("device", "loaded"), [("no-such-device", "False"), ("null", "True")])
def test_torch_is_asked_only_where_the_system_has_a_device_of_a_gpu(device: str, loaded: str) -> None:
    code = f"""
import sys
from dns_ops import settings
settings._GPU_DEVICES = ({device!r},)
settings.Settings().torch_device()
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded


def test_a_demanded_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dns_ops.settings._GPU_DEVICES", ("null",))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Settings(device="auto").torch_device() == "cpu"
    with pytest.raises(SettingsError, match="expected a GPU"):
        Settings(device="cuda").torch_device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert Settings(device="auto").torch_device() == "cuda"
    assert Settings(device="cpu").torch_device() == "cpu"


def test_the_query_service_has_settings_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DNS_SERVE_PORT=9000\nDNS_SERVE_MAX_UPLOAD_BYTES=7\nDNS_SERVE_INDEX=i\n")
    monkeypatch.setenv("DNS_SERVE_QUERY_TOKENS", "secret, other")
    settings = load_settings(tmp_path)
    assert (settings.serve.port, settings.serve.max_upload_bytes, settings.serve.index) == (9000, 7, "i")
    assert settings.query_service() == "http://127.0.0.1:9000"
    assert len(settings.serve.token_digests()) == 2
    assert "secret" not in repr(settings)
    monkeypatch.setenv("DNS_SERVE_PORT", "none")
    with pytest.raises(SettingsError, match="DNS_SERVE_PORT: input should be a valid integer"):
        load_settings(tmp_path)
    (tmp_path / ".env").write_text("DNS_SERVE_PROT=9000\n")
    with pytest.raises(SettingsError, match=r"DNS_SERVE_PROT.*DNS_SERVE_PORT"):
        load_settings(tmp_path)
