"""A network that is cut in the middle of an operation is one clear error, and trying again completes it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings

from dns_core.errors import DnsError
from dns_core.index import verify_index
from dns_core.ports import SilentProgress
from dns_core.retrieval.bundle import SHIPPED_MODELS
from dns_ops.pipeline.reproduction import reproduction
from dns_ops.releases.registry import bundle_fingerprint, bundle_versions, fetch_bundle, register_bundle
from dns_ops.settings import Settings
from dns_ops.storage.bucket import Bucket
from dns_ops.storage.trees import pull_tree, push_tree, read_tree
from dns_ops.tracking.store import Tracking, open_tracking
from flows.server import FlowServer
from tests.chaos.conftest import LONG, ROOT, copied
from tests.chaos.proxy import Proxy

pytestmark = pytest.mark.chaos

QUIET = SilentProgress()
ROUNDS = 3 if LONG else 1


@contextmanager
def served(module: str, *arguments: str, cwd: Path, health: str = "", **variables: str) -> Iterator[int]:
    """The port of a server that is a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", module, *(word.format(port=port) for word in arguments)]
    server = subprocess.Popen(
        command, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)} | variables, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not _answers(port, health):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(60)


def _answers(port: int, health: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
            opened.sendall(f"GET {health or '/'} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            return bool(opened.recv(12))
    except OSError:
        return False


def tried(kind: str, proxy: Proxy, act: Callable[[], Any], note: Callable[..., None], chance: Random) -> Any:
    """What ``act`` gives once the network is well; before, it gives that, or an error that was foreseen."""
    for fault in ("cut", "short", "slow", "down"):
        for _ in range(ROUNDS):
            proxy.after, proxy.fault = chance.choice((0, 100, chance.randrange(200_000))), fault
            said = ""
            try:
                act()
            except DnsError as error:
                said = str(error)
            assert "\n" not in said
            proxy.fault = ""
            began_s = time.monotonic()
            result = act()
            note(f"network {fault}: {kind}", recovered_s=time.monotonic() - began_s)
    return result


@pytest.mark.timeout(900)
def test_buckets(
    tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch, note: Callable[..., None], chance: Random
) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with served("moto.server", "-H", "127.0.0.1", "-p", "{port}", cwd=tmp_path) as port, Proxy(port) as proxy:
        bucket = Bucket(
            Settings(s3_bucket="bucket", s3_endpoint_url=f"http://127.0.0.1:{proxy.port}"), attempts=2
        )
        bucket.client.create_bucket(Bucket="bucket")
        index = copied(built, tmp_path / "index")
        first, _ = push_tree(bucket, "index", index, QUIET)
        tried("push to S3", proxy, lambda: push_tree(bucket, "models", SHIPPED_MODELS, QUIET), note, chance)

        def pull() -> None:
            pull_tree(bucket, "index", tmp_path / "there", QUIET)

        tried("pull from S3", proxy, pull, note, chance)
        verify_index(tmp_path / "there")
        assert read_tree(bucket, "index").version == first.version


@pytest.mark.skipif(not LONG, reason="takes minutes: make chaos")
@pytest.mark.timeout(900)
def test_the_record_of_runs_and_models(
    tmp_path: Path, note: Callable[..., None], chance: Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    store = ("--backend-store-uri", "sqlite:///runs.db", "--artifacts-destination", "kept", "--workers", "1")
    with (
        served("mlflow", "server", "--host", "127.0.0.1", "--port", "{port}", *store, cwd=tmp_path) as port,
        Proxy(port) as proxy,
    ):
        settings = Settings(tracking_uri=f"http://127.0.0.1:{proxy.port}")
        tracking = open_tracking(workspace, settings)
        models = copied(SHIPPED_MODELS, tmp_path / "models")

        def register() -> int:
            with reproduction(workspace, settings, {}) as run_id:
                return register_bundle(workspace, models, _required(tracking), run_id).version

        version = tried("register with MLflow", proxy, register, note, chance)

        def fetch() -> Path:
            return fetch_bundle(_required(tracking), version, tmp_path / f"fetched-{time.monotonic_ns()}")

        fetched = tried("fetch from MLflow", proxy, fetch, note, chance)
        assert bundle_fingerprint(fetched) == bundle_fingerprint(models)
        assert [row.version for row in bundle_versions(_required(tracking))] == [version]


def _required(tracking: Tracking | None) -> Tracking:
    assert tracking is not None
    return tracking


@pytest.mark.timeout(900)
@pytest.mark.skipif(not LONG, reason="takes minutes: make chaos")
def test_the_server_of_flows(tmp_path: Path, note: Callable[..., None], chance: Random) -> None:
    variables = {
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_SERVER_API_AUTH_STRING": "dns:x",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    }
    arguments = ("--factory", "--host", "127.0.0.1", "--port", "{port}")
    served_by = served("uvicorn", "flows.prefect_app:create_app", *arguments, cwd=tmp_path, **variables)
    with served_by as port, Proxy(port) as proxy, temporary_settings({PREFECT_API_AUTH_STRING: "dns:x"}):
        flows = FlowServer(f"http://127.0.0.1:{proxy.port}/api")
        assert tried("ask Prefect", proxy, flows.deployments, note, chance) == []
