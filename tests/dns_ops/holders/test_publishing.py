"""Versions on holders that are threads: searched as one, mended, published whole or not at all."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dns_core.errors import ArtefactError, ShardsLostError
from dns_core.index import Index, open_index, remove_videos
from dns_core.records import QueryResult
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pictures import search_any
from dns_ops.storage.blobs import file_digest
from tests.dns_ops.holders.conftest import CODE, World, video

HALF = Budget(share=0.5)


def answer(engine: Engine, name: str = "v17", *, partial: bool = True) -> QueryResult:
    found = search_any(engine, video(name), top_k=40, budget=HALF, partial=partial)
    return replace(found, timing_ms={})


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def all_ready(world: World) -> bool:
    states = world.holders.states()
    return len(states) == 6 and all(state.state == "ready" for state in states)


def test_holders_answer_as_one_engine_does(world: World) -> None:
    there, here = world.publish(), world.engine()
    for number in range(0, 40, 3):
        assert answer(there, f"v{number:02d}") == answer(here, f"v{number:02d}")
    picture = video("v00").window(0, 1)
    found = [replace(search_any(e, picture, top_k=9, budget=HALF), timing_ms={}) for e in (there, here)]
    assert found[0] == found[1]
    assert found[0].missing_shards == ()
    assert all(holder.asked for holder in world.machines.all.values())  # replicas take turns


def test_a_dead_replica_is_not_noticed_and_is_mended(world: World) -> None:
    there, expected = world.publish(), answer(world.engine())
    for replica in ("0-0", "1-1", "2-0"):
        world.machines.all[replica].dead = True
    for _ in range(6):
        assert answer(there) == expected
    until(lambda: all_ready(world), "holders are not mended")
    assert not any(holder.dead for holder in world.machines.all.values())
    for replica in ("0-1", "1-0", "2-1"):
        world.machines.all[replica].dead = True
    assert answer(there) == expected


def test_a_lost_group_is_named_and_the_rest_is_answered_for(world: World) -> None:
    there = world.publish()
    world.machines.may_start = False
    for replica in ("1-0", "1-1"):
        world.machines.all[replica].dead = True
    found = answer(there)
    names = [entry.name for entry in world.index.manifest.shards]
    assert found.missing_shards == tuple(names[2:3])
    assert found.coverage == pytest.approx(32 / 40)
    shards = world.index.manifest.shards
    rest = world.index.manifest.model_copy(update={"shards": shards[:2] + shards[3:]})
    assert found.results == answer(world.engine(Index(world.index.folder, rest))).results
    with pytest.raises(ShardsLostError, match=names[2]):
        answer(there, partial=False)
    until(
        lambda: (
            {(s.group == 1, s.state) for s in world.holders.states()} == {(True, "lost"), (False, "ready")}
        ),
        "the states are wrong",
    )
    world.machines.may_start = True
    until(lambda: answer(there).missing_shards == (), "the group does not come back")
    assert answer(there) == answer(world.engine())


def test_a_slow_replica_is_not_waited_for(world: World) -> None:
    there, expected = world.publish(), answer(world.engine())
    release = threading.Event()
    for replica in ("0-0", "1-0", "2-0"):
        world.machines.all[replica].before_step = lambda _step: release.wait(60)
    began_s = time.monotonic()
    for _ in range(3):
        assert answer(there) == expected
    assert time.monotonic() - began_s < 20  # one query of three steps would wait for three minutes
    release.set()


def test_a_damaged_file_is_pulled_anew(world: World) -> None:
    there, expected = world.publish(), answer(world.engine())
    until(lambda: all_ready(world), "not every holder is ready")
    codes = [
        file.sha256
        for entry in world.index.manifest.shards
        for name, file in entry.files.items()
        if name.startswith("frames.")
    ]
    home = world.machines.home / "0-0" / "contents"
    files = [home / digest for digest in codes if (home / digest).exists()]
    assert files
    before = {path: path.read_bytes() for path in files}
    for path in files:
        with path.open("r+b") as file:  # in place, as a bad disk does
            file.seek(200)
            file.write(bytes(64))
    world.machines.all["0-1"].dead = True  # the damaged one alone can answer, and must not
    world.machines.may_start = False

    def is_whole() -> bool:
        found = answer(there)
        assert found.missing_shards or found == expected
        return found == expected

    until(is_whole, "what was damaged is not pulled anew")
    assert {path: path.read_bytes() for path in files} == before


def test_unchanged_shards_are_not_pulled_again_and_old_versions_go(world: World) -> None:
    world.publish()
    until(lambda: all_ready(world), "not every holder is ready")
    contents = world.machines.home / "2-0" / "contents"
    first = {path.name: path.stat().st_mtime_ns for path in contents.iterdir()}
    remove_videos(world.index.folder.parents[1], ["v01"])
    newest = open_index(world.index.folder.parents[1])
    there = world.publish(newest)
    assert answer(there) == answer(world.engine(newest))
    second = {path.name: path.stat().st_mtime_ns for path in contents.iterdir()}
    assert second == first
    until(lambda: all_ready(world), "not every holder is ready")
    assert {(state.version, state.lag) for state in world.holders.states()} == {(newest.manifest.version, 0)}


def test_a_version_that_a_group_cannot_hold_is_refused_and_the_old_one_serves_on(world: World) -> None:
    there, expected = world.publish(), answer(world.engine())
    folder = world.index.folder.parents[1]
    remove_videos(folder, ["v01"])
    newest = open_index(folder)
    damaged = newest.folder / newest.manifest.shards[4].name / "coarse.npy"
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.unlink()  # it is a link to the older version's
    damaged.write_bytes(content)
    for holder in world.machines.all.values():  # which pulled it with the version before
        (holder.holder._files._contents / newest.manifest.shards[4].files["coarse.npy"].sha256).unlink(True)
    with pytest.raises(ArtefactError, match=r"no holder can serve version 6 of shards .*does not hold what"):
        world.publish(newest)
    assert answer(there) == expected


def test_a_holder_with_other_code_is_refused_and_both_are_named(world: World) -> None:
    world.machines.code = "other code"
    with pytest.raises(ArtefactError, match=f"expected {CODE}, found other code"):
        world.publish()


def test_no_answer_mixes_versions_while_one_follows_the_other(world: World) -> None:
    folder = world.index.folder.parents[1]
    served, expected = [world.publish()], {answer(world.engine()).results}
    wrong: list[QueryResult] = []
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            found = answer(served[-1])
            if found.results not in expected or found.missing_shards:
                wrong.append(found)

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for name in ("v16", "v18", "v19"):
        remove_videos(folder, [name])
        newest = open_index(folder)
        expected.add(answer(world.engine(newest)).results)
        served.append(world.publish(newest))
        time.sleep(0.3)
    stop.set()
    for client in clients:
        client.join()
    assert len(expected) == 4
    assert not wrong
    assert answer(served[-1]).results == answer(world.engine(open_index(folder))).results


def test_files_come_from_a_bucket_where_no_folder_is_shared(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By digest; what a bucket gives is compared as well (`tests/dns_ops/storage` has a real server)."""
    elsewhere = {}
    for root in (world.index.folder, world.models):
        for path in root.rglob("*"):
            if path.is_file():
                elsewhere[file_digest(path)] = path.read_bytes()

    def download(_bucket: object, sha256: str, path: Path) -> None:
        path.write_bytes(elsewhere[sha256])

    monkeypatch.setattr("dns_ops.storage.blobs.download_blob", download)
    monkeypatch.setattr("dns_ops.storage.bucket.Bucket", lambda _settings: None)
    world.holders._bucket = ("a-bucket", "")
    expected, engine = answer(world.engine()), world.engine()
    engine.index.folder = tmp_path / "not shared"
    there = world.holders.prepare({"fine_binary": engine}, world.models)["fine_binary"]
    assert answer(there) == expected
