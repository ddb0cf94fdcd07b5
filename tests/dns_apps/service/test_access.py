"""Tokens and scopes, and when a service must have them."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from dns_apps.service.client_errors import NotAllowedError
from dns_apps.service.server import require_tokens
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import SettingsError

DIGEST = hashlib.sha256(b"admin-token").hexdigest()


def test_a_token_opens_what_its_scope_grants(run: Any, built: Path, videos: Path, tmp_path: Path) -> None:
    tokens = {"query_tokens": "query-token, other-token", "admin_tokens": f"sha256:{DIGEST}"}
    with run(tmp_path, index=str(built), videos=str(videos), **tokens) as one:
        with one.http() as http:
            assert http.get("/healthz").status_code == http.get("/readyz").status_code == 200
            missing = http.get("/v1/index")
            assert (missing.status_code, missing.headers["www-authenticate"]) == (401, "Bearer")
            assert http.get("/metrics").status_code == 401
            assert http.get("/v1/index", headers={"Authorization": "Basic cXVlcnk="}).status_code == 401
        for forged in ("query-toke", "query-token ", "QUERY-TOKEN", DIGEST, f"sha256:{DIGEST}", "ä"):
            with one.http() as http:
                headers = {"Authorization": f"Bearer {forged}.".encode()}
                assert http.get("/v1/index", headers=headers).status_code == 401, forged
        for token in ("query-token", "other-token"):
            with one.client(token) as client:
                assert client.index().n_videos == 3
                with pytest.raises(NotAllowedError, match="scope admin") as refused:
                    client.reload_index()
                assert refused.value.problem.status == 403
        with one.client("admin-token") as client:
            assert client.reload_index().n_videos == client.index().n_videos


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "archive.example"])  # noqa: S104
def test_whom_others_can_reach_must_have_tokens(host: str) -> None:
    with pytest.raises(SettingsError, match="DNS_SERVE_QUERY_TOKENS"):
        require_tokens(ServiceSettings(host=host))
    with pytest.raises(SettingsError):
        require_tokens(ServiceSettings(host=host, query_tokens=SecretStr(" , ")))
    require_tokens(ServiceSettings(host=host, admin_tokens=SecretStr("secret")))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "localhost", "::1"])
def test_this_machine_needs_none(host: str) -> None:
    settings = ServiceSettings(host=host)
    assert settings.local
    require_tokens(settings)


def test_a_token_is_never_shown() -> None:
    assert "secret" not in repr(ServiceSettings(admin_tokens=SecretStr("secret")))
