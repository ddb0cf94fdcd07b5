"""An index of several shards, and machines that are threads of this process."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dns_core.index import Index, add_videos, build_index, open_index
from dns_core.records import VideoFeatures
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.encode import VideoEncoder
from dns_core.retrieval.engine import Engine
from dns_ops.holders.holder import Held, Holder
from dns_ops.holders.machines import Layout
from dns_ops.holders.plans import Plan
from dns_ops.holders.publishing import Holders
from tests.dns_core.retrieval.conftest import features_of, write_networks

CODE = "the same code"
SHARDS = 5


def video(name: str) -> VideoFeatures:
    return features_of(name, 3 + int(name[1:]) % 30)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_networks(folder, seed=1)
    return folder


@pytest.fixture
def index(tmp_path: Path, models: Path) -> Index:
    """Forty videos in five shards; each test has its own."""
    encoder, folder = VideoEncoder(Bundle.load(models)), tmp_path / "index"
    for shard in range(SHARDS):
        records = [encoder.encode(video(f"v{n:02d}")) for n in range(8 * shard, 8 * shard + 8)]
        if shard:
            add_videos(folder, records, models=encoder.origin.models)
        else:
            build_index(folder, records, encoder.origin)
    return open_index(folder)


class DeadError(Exception):
    """A machine that does not answer any more."""


@dataclass
class ThreadHolder:
    """A holder that may die, and does what it is asked on a thread."""

    name: str
    holder: Holder
    pool: ThreadPoolExecutor
    dead: bool = False
    before_step: Callable[[str], object] = lambda _step: None
    asked: list[str] = field(default_factory=list)

    def step(
        self, key: str, fine: str, name: str, args: tuple[Any, ...], options: Mapping[str, Any]
    ) -> "Future[Any]":
        self.asked.append(name)

        def do() -> Any:
            self.before_step(name)
            return self._alive().step(key, fine, name, args, options)

        return self.pool.submit(do)

    def prepare(self, plan: Plan) -> "Future[None]":
        return self.pool.submit(lambda: self._alive().prepare(plan))

    def held(self) -> "Future[Held]":
        return self.pool.submit(lambda: self._alive().held())

    def keep(self, keys: Sequence[str]) -> "Future[None]":
        return self.pool.submit(lambda: self._alive().keep(keys))

    def _alive(self) -> Holder:
        if self.dead:
            raise DeadError(f"{self.name} is gone")
        return self.holder


@dataclass
class Threads:
    """Machines that are threads; a dead holder is replaced by one that holds nothing, as Ray does."""

    home: Path
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(32))
    all: dict[str, ThreadHolder] = field(default_factory=dict)
    may_start: bool = True
    code: str = CODE

    def group(self, number: int, n_replicas: int) -> list[ThreadHolder]:
        names = [f"{number}-{replica}" for replica in range(n_replicas)]
        for name in names:
            found = self.all.get(name)
            if found is None or (found.dead and self.may_start):
                self.all[name] = ThreadHolder(name, Holder(self.home / name, self.code), self.pool)
        return [self.all[name] for name in names]

    def end_others(self, n_groups: int, n_replicas: int) -> None:
        pass


@dataclass
class World:
    """An index on holders."""

    index: Index
    models: Path
    machines: Threads
    holders: Holders

    def engine(self, index: Index | None = None) -> Engine:
        return Engine(index or self.index, Bundle.load(self.models))

    def publish(self, index: Index | None = None) -> Engine:
        found = self.holders.prepare({"fine_binary": self.engine(index)}, self.models)["fine_binary"]
        self.holders.serve()
        return found


@pytest.fixture
def world(index: Index, models: Path, tmp_path: Path) -> Any:
    machines = Threads(tmp_path / "machines")
    holders = Holders(machines, Layout(3, 2, patience_s=20.0, publish_s=30.0), CODE)
    yield World(index, models, machines, holders)
    holders.close()
    machines.pool.shutdown(cancel_futures=True)
