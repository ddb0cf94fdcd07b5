"""Holders on a real Ray cluster of two machines, both of which are this one."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dns_apps.service.schemas import Query, QueryOptions, StoredExcerpt
from dns_core.index import compact_index, open_index, remove_videos
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import SHIPPED_MODELS, Bundle
from dns_core.retrieval.pictures import search_any
from dns_core.retrieval.pipeline import index_videos
from dns_core.video.encode import write_video
from dns_ops.holders.choosing import open_holders
from dns_ops.holders.publishing import Holders
from dns_ops.service_settings import ServiceSettings
from dns_ops.settings import Settings
from tests.dns_apps.service.conftest import Running, running
from tests.dns_core.retrieval.conftest import features_of
from tests.dns_ops.holders.conftest import World
from tests.factories import noise_footage

if TYPE_CHECKING:
    from benchmarks.ray_machines import RayMachines

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install '.[cluster]'"),
]

N_VIDEOS, N_CLIENTS = 8, 8
OPTIONS = QueryOptions(budget="0.5", top_k=8)


def until(condition: Callable[[], bool], what: Callable[[], object], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.1)


def settings(machines: "RayMachines", **more: object) -> Settings:
    serve = ServiceSettings(holders=2, replicas=2, **more)  # type: ignore[arg-type]
    return Settings(cluster=machines.address.text, serve=serve)


@pytest.fixture
def holders(machines: "RayMachines", tmp_path: Path) -> Iterator[Holders]:
    import ray  # noqa: PLC0415 - an extra

    (tmp_path / ".platform").mkdir(mode=0o700)
    (tmp_path / ".platform" / "ray-token").write_text((machines.home / "ray-token").read_text())
    found = open_holders(settings(machines), tmp_path)
    assert found
    yield found
    found.close()
    for actor in ray.util.list_named_actors(all_namespaces=True):
        ray.kill(ray.get_actor(actor["name"], actor["namespace"]), no_restart=True)
    for group in ray.util.placement_group_table().values():
        if group["state"] != "REMOVED":
            ray.util.remove_placement_group(ray.util.get_placement_group(group["name"]))


def all_ready(holders: Holders) -> bool:
    states = holders.states()
    return len(states) == 4 and all(state.state == "ready" for state in states)


def test_a_hundred_queries_have_the_answers_of_one_engine(world: World, holders: Holders) -> None:
    here = world.engine()
    there = holders.prepare({"fine_binary": here}, world.models)["fine_binary"]
    holders.serve()
    until(lambda: all_ready(holders), holders.states)
    for number in range(100):
        query = features_of(f"query {number}", 1 + number % 40)
        budget, top_k = Budget(share=(number % 11) / 10), number % 41
        found = [
            replace(search_any(one, query, top_k=top_k, budget=budget), timing_ms={}) for one in (here, there)
        ]
        assert found[0] == found[1]


class Load:
    """Clients that ask all the time, and what they are answered."""

    def __init__(self, service: Running) -> None:
        self._service, self._stop = service, threading.Event()
        self.answers: list[Query] = []
        self.failures: list[BaseException] = []
        self._clients = [threading.Thread(target=self._ask, args=(n,)) for n in range(N_CLIENTS)]
        for client in self._clients:
            client.start()

    def _ask(self, number: int) -> None:
        with self._service.client() as client:
            while not self._stop.is_set():
                try:
                    excerpt = StoredExcerpt(video_id=f"v{number % N_VIDEOS}.mp4", stop_s=4.0)
                    self.answers.append(client.query_video(excerpt, OPTIONS, wait_s=60))
                except Exception as error:  # noqa: BLE001 - each is counted
                    self.failures.append(error)

    def stop(self) -> None:
        self._stop.set()
        for client in self._clients:
            client.join()


def asked_in(service: Running) -> dict[tuple[int, str], object]:
    """What the served version answers to each client's query, asked alone."""
    found: dict[tuple[int, str], object] = {}
    with service.client() as client:
        for number in range(N_VIDEOS):
            query = client.query_video(
                StoredExcerpt(video_id=f"v{number}.mp4", stop_s=4.0), OPTIONS, wait_s=60
            )
            assert query.answer
            found[query.answer.index_version, query.name] = query.answer.matches
    return found


@pytest.mark.timeout(600)
def test_the_service_answers_while_holders_and_machines_die_and_versions_change(
    machines: "RayMachines", holders: Holders, tmp_path: Path
) -> None:
    videos, index = tmp_path / "videos", tmp_path / "index"
    for number in range(N_VIDEOS):
        write_video(videos / f"v{number}.mp4", noise_footage(number), 8.0)
    for name in ("w0.mp4", "w1.mp4", "w2.mp4"):
        write_video(videos / name, noise_footage(90 + int(name[1])), 8.0)
    index_videos(videos, index, Bundle.load(SHIPPED_MODELS))
    compact_index(index, shard_videos=3)
    with running(tmp_path / "alone", index=str(index), videos=str(videos)) as alone:
        expected = asked_in(alone)
    serve = {"index": str(index), "videos": str(videos), "max_waiting": 64}
    with running(tmp_path, holders=holders, **serve) as service:
        until(lambda: all_ready(holders), holders.states)
        assert asked_in(service) == expected
        load = Load(service)
        until(lambda: len(load.answers) > 10, lambda: load.failures)
        os.kill(holders.states()[0].process, signal.SIGKILL)
        until(lambda: not all_ready(holders), holders.states)
        until(lambda: all_ready(holders), holders.states)
        machines.kill(machines.running[-1])
        until(lambda: not all_ready(holders), holders.states)
        machines.join()
        until(lambda: all_ready(holders), holders.states)
        for name in ("w0.mp4", "w1.mp4", "w2.mp4"):
            remove_videos(index, [name])
            with service.client() as client:
                client.reload_index()
            expected |= asked_in(service)
        load.stop()
    assert not load.failures
    assert {query.state for query in load.answers} == {"done"}
    answers = [(query.name, query.answer) for query in load.answers if query.answer]
    assert all(answer.coverage == 1.0 and not answer.missing_shards for _, answer in answers)
    assert {answer.index_version for _, answer in answers} >= {2, 3, 4}
    for name, answer in answers:
        assert answer.matches == expected[answer.index_version, name]
    assert expected == {**expected, **newest(videos, index, tmp_path / "last")}


def newest(videos: Path, index: Path, root: Path) -> dict[tuple[int, str], object]:
    assert open_index(index).manifest.version == 5
    with running(root, index=str(index), videos=str(videos)) as alone:
        return asked_in(alone)


def test_a_group_without_a_holder_is_missed_or_refused(world: World, holders: Holders) -> None:
    there = holders.prepare({"fine_binary": world.engine()}, world.models)["fine_binary"]
    holders.serve()
    until(lambda: all_ready(holders), holders.states)
    for state in holders.states()[:2]:
        os.kill(state.process, signal.SIGKILL)
    found = search_any(there, features_of("query", 9), top_k=5, budget=Budget(share=0.5))
    shards = world.index.manifest.shards
    assert found.missing_shards in [(), tuple(entry.name for entry in shards[:3])]
    assert found.coverage == (1.0 if not found.missing_shards else pytest.approx(16 / 40))

    def whole() -> bool:
        query = features_of("query", 9)
        return search_any(there, query, top_k=5, budget=Budget(share=0.5)).coverage == 1.0

    until(whole, holders.states)
