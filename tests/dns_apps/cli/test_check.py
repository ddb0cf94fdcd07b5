"""What stands beside the machine is shown too: the server of flows and the bucket."""

import json
from pathlib import Path
from typing import Any

import pytest

Run = Any


def findings(result: Any) -> dict[str, tuple[str, str]]:
    return {row["part"]: (row["state"], row["found"]) for row in json.loads(result.stdout)}


def test_servers_that_are_not_configured_are_only_absent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("DNS_PREFECT_PORT", "9")
    found = findings(run("check", "--json"))
    assert found["flows"] == ("absent", "no Prefect server runs here; `dns up` starts one")
    assert found["bucket"] == ("absent", "DNS_S3_BUCKET names none")


def test_servers_that_are_named_and_do_not_answer_are_broken(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PREFECT_API_URL": "http://127.0.0.1:9/api",
        "DNS_S3_BUCKET": "archive",
        "DNS_S3_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "very-secret",
    }.items():
        monkeypatch.setenv(name, value)
    result = run("check", "--json")
    assert result.exit_code == 2
    found = findings(result)
    assert found["flows"][0] == "broken"
    assert found["flows"][1].startswith("http://127.0.0.1:9/api does not answer")
    assert found["bucket"] == ("broken", "bucket archive: the server does not answer")
    assert "very-secret" not in result.stdout


def test_a_worker_without_a_server_does_not_start(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    result = run("worker")
    assert result.exit_code == 2
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in result.stderr
