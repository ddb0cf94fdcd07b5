"""A query service that really runs, over a small index that the shipped models made of real little videos."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from dns_apps.service.app import create_app
from dns_apps.service.client import Client
from dns_apps.service.context import ServiceContext
from dns_core.errors import DnsError
from dns_core.records import UInt8Array
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pipeline import index_videos
from dns_core.video.encode import write_video
from dns_ops.holders.publishing import Holders
from dns_ops.service_settings import ServiceSettings
from tests.factories import noise_footage

FPS = 8.0
NAMES = ("harbour.mp4", "folder/market.mp4", "<b>night & day</b>.mp4")


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    for seed, name in enumerate(NAMES):
        write_video(folder / name, noise_footage(seed), FPS)
    return folder


@pytest.fixture(scope="session")
def excerpt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seconds 4 to 9 of the market, encoded again."""
    path = tmp_path_factory.mktemp("queries") / "excerpt.mp4"
    write_video(path, noise_footage(1)[round(4 * FPS) : round(9 * FPS)], FPS, crf=30)
    return path


@pytest.fixture(scope="session")
def built(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    index = tmp_path_factory.mktemp("built") / "index"
    index_videos(videos, index, Bundle.load(SHIPPED_MODELS))
    return index


@dataclass(frozen=True)
class Running:
    """A service that answers at ``url``, and its inside."""

    url: str
    context: ServiceContext
    root: Path

    def client(self, token: str | None = None) -> Client:
        """A client of it."""
        return Client(self.url, token, timeout_s=60)

    def http(self) -> httpx.Client:
        """The same without the manners of `Client`."""
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    @property
    def kept(self) -> list[str]:
        """Files that the service keeps of uploads, or has forgotten to remove."""
        home = self.root / ".platform" / "service"
        return sorted(p.name for d in ("queries", "scratch") for p in (home / d).iterdir())


@contextmanager
def running(root: Path, holders: Holders | None = None, **settings: Any) -> Iterator[Running]:
    """A service over the workspace ``root`` on a free port, stopped when the block ends."""
    app = create_app(root, ServiceSettings(**settings), holders=holders)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            _until(lambda: server.started or not thread.is_alive())
            with suppress(DnsError):  # of a service without an index, which is for tests to see
                app.state.context.live_index.current()
            yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", app.state.context, root)
        finally:
            server.should_exit = True
            thread.join()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(scope="session")
def service(built: Path, videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests that do not change it but by queries."""
    root = tmp_path_factory.mktemp("workspace")
    limits: dict[str, Any] = {"max_upload_bytes": 4 << 20, "max_pixels": 1 << 20, "max_duration_s": 60}
    with running(root, index=str(built), videos=str(videos), **limits) as one:
        yield one


@pytest.fixture(scope="session")
def client(service: Running) -> Iterator[Client]:
    with service.client() as one:
        yield one


@pytest.fixture(scope="session")
def run() -> Callable[..., Any]:
    """Starts another service: see `running`."""
    return running


@pytest.fixture(scope="session")
def draw() -> Callable[..., UInt8Array]:
    """Frames of a made-up video: see `noise_footage`."""
    return noise_footage
