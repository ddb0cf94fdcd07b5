"""All cores of a machine: a task that kills its worker costs the others nothing."""

import os
from collections import Counter
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from dns_core.errors import InputError, MismatchError
from dns_core.fleet import Card, Fleet, LocalFleet, Place, Task, Work, run_all
from dns_ops.fleet.choosing import open_fleet, usual_workers
from dns_ops.fleet.pool import PoolFleet
from dns_ops.settings import Settings
from tests.oracles.faulty_worker import WORK


def pool(**settings: float) -> PoolFleet:
    return PoolFleet(2, Place(), worth=0, **settings)


def ran(fleet: Fleet, tasks: list[Task], work: Work = WORK) -> dict[str, Card]:
    return {card.id: card for card in run_all(fleet, work, tasks)}


def test_the_pool_does_what_one_process_does() -> None:
    tasks = [Task(f"v{n}") for n in range(20)] + [Task("refused")]
    here, there = ran(LocalFleet(), tasks), ran(pool(), tasks)
    assert {name: (card.facts.get("sum"), card.reason, card.detail) for name, card in there.items()} == {
        name: (card.facts.get("sum"), card.reason, card.detail) for name, card in here.items()
    }
    assert os.getpid() not in {card.facts["pid"] for card in there.values() if card.facts}
    assert all(card.facts["threads"] == ["1", "1"] for card in there.values() if card.facts)


def test_what_kills_its_worker_three_times_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    log = {"log": str(tmp_path / "log")}
    bad = [Task("exits", log), Task("hangs", log), Task("dies once", {**log, "mark": str(tmp_path / "mark")})]
    cards = ran(pool(limit_s=3.0), [*bad, *(Task(f"v{n}", log) for n in range(20))])
    given_up = {name: card.reason for name, card in cards.items() if card.reason}
    assert given_up == {"exits": "corrupt", "hangs": "too_large"}
    assert "exit status 3" in cards["exits"].detail
    assert "3 times" in cards["hangs"].detail
    tries = Counter((tmp_path / "log").read_text().splitlines())
    assert (tries.pop("exits"), tries.pop("hangs"), tries.pop("dies once")) == (3, 3, 2)
    assert set(tries.values()) == {1}
    assert len(cards) == 23


def test_a_worker_that_cannot_start_says_why() -> None:
    with pytest.raises(MismatchError, match="expected these, found others") as refused:
        ran(pool(), [Task(f"v{n}") for n in range(3)], Work(WORK.worker, {"refuses": True}))
    assert refused.value.expected == "these"


def test_no_process_is_left_when_the_work_is_left() -> None:
    before = set(psutil.Process().children(recursive=True))
    with closing(pool().run(WORK, [Task("hangs 1"), Task("v"), Task("hangs 2"), Task("w")])) as cards:
        assert next(cards).id == "v"
        assert set(psutil.Process().children(recursive=True)) - before
    left = {p for p in psutil.Process().children(recursive=True) if "spawn_main" in " ".join(p.cmdline())}
    assert left <= before


def test_a_video_that_is_named_twice_is_refused() -> None:
    with pytest.raises(InputError, match="found twice: v"):
        ran(LocalFleet(), [Task("v"), Task("w"), Task("v")])


def test_a_fleet_that_loses_a_task_or_does_one_twice_is_found_out() -> None:
    class Careless(LocalFleet):
        def run(self, work: Work, tasks):  # type: ignore[no-untyped-def]
            yield from super().run(work, [task for task in tasks if task.id != "lost"])
            if "twice" in {task.id for task in tasks}:
                yield Card("twice")

    with pytest.raises(RuntimeError, match=r"none for \['lost'\]"):
        ran(Careless(), [Task("v"), Task("lost")])
    with pytest.raises(RuntimeError, match="another for 'twice'"):
        ran(Careless(), [Task("v"), Task("twice")])


def test_settings_choose_the_fleet() -> None:
    assert isinstance(open_fleet(Settings(workers=1)), LocalFleet)
    chosen = open_fleet(Settings(workers=3, decoder_timeout_s=7))
    assert isinstance(chosen, PoolFleet)
    assert (chosen.n_workers, chosen.place.decoder_s) == (3, 7)
    assert isinstance(open_fleet(Settings(workers=3), "cuda"), LocalFleet)
    assert 1 <= usual_workers() <= len(os.sched_getaffinity(0))
