"""A real S3 server process on this machine, and a bucket on it."""

import itertools
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from dns_ops.settings import Settings
from dns_ops.storage.bucket import Bucket

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def settings(server: str) -> Settings:
    """Settings that name a bucket that is not there yet."""
    return Settings(s3_bucket=f"bucket-{next(_NUMBERS)}", s3_endpoint_url=server)


@pytest.fixture
def bucket(settings: Settings) -> Bucket:
    """An empty bucket."""
    made = Bucket(settings)
    made.client.create_bucket(Bucket=made.name)
    return made
