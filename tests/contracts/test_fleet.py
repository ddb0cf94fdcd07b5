"""Every Fleet gives each task one card, whichever process or machine does it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from benchmarks.ray_machines import RayMachines
from dns_core.errors import MismatchError
from dns_core.fleet import Card, Fleet, LocalFleet, Place, Task, Work
from dns_ops.fleet.connection import open_cluster
from dns_ops.fleet.pool import PoolFleet
from tests.oracles.faulty_worker import WORK

TASKS = (*(Task(f"v{n}") for n in range(12)), Task("refused"), Task("a longer name"))


def of_a_cluster(request: pytest.FixtureRequest) -> Fleet:
    found: RayMachines = request.getfixturevalue("machines")  # skips where Ray is not installed
    return open_cluster(found.address, Place())


MAKERS: dict[str, Callable[[pytest.FixtureRequest], Fleet]] = {
    "this process": lambda _: LocalFleet(),
    "pool": lambda _: PoolFleet(2, Place(), worth=0),
    "pool that no process is worth": lambda _: PoolFleet(2, Place(), worth=1000),
    "cluster": of_a_cluster,
}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.slow] * (name == "cluster")) for name in MAKERS]
)
def fleet(request: pytest.FixtureRequest) -> Fleet:
    return MAKERS[request.param](request)


def cards_of(fleet: Fleet, tasks: tuple[Task, ...], work: Work = WORK) -> list[Card]:
    return sorted(fleet.run(work, tasks), key=lambda card: card.id)


def test_each_task_has_one_card_with_what_the_worker_says(fleet: Fleet) -> None:
    cards = cards_of(fleet, TASKS)
    assert [card.id for card in cards] == sorted(task.id for task in TASKS)
    assert {card.id: card.facts.get("sum") for card in cards} == {
        task.id: None if task.id == "refused" else 100 + len(task.id) for task in TASKS
    }


def test_matrices_are_multiplied_by_one_thread_so_that_they_round_alike(fleet: Fleet) -> None:
    with threadpool_limits(2, user_api="blas"):
        (card,) = cards_of(fleet, (Task("v"),))
    assert card.facts["blas"] == 1


def test_a_video_that_cannot_be_used_is_a_card_with_the_reason(fleet: Fleet) -> None:
    (card,) = cards_of(fleet, (Task("refused"),))
    assert card == Card("refused", {}, "corrupt", "it is refused")


def test_nothing_to_do_is_no_card_and_starts_no_worker(fleet: Fleet) -> None:
    assert cards_of(fleet, (), Work("no.such.module:Worker", {})) == []


def test_a_worker_that_cannot_start_ends_the_run_with_its_own_error(fleet: Fleet) -> None:
    with pytest.raises(MismatchError, match="expected these, found others"):
        cards_of(fleet, TASKS, Work(WORK.worker, {"refuses": True}))


def test_a_run_may_be_left_and_the_fleet_used_again(fleet: Fleet, tmp_path: Path) -> None:
    log = tmp_path / "log"
    slow = tuple(Task(f"v{n:02d}", {"log": str(log), "seconds": 0.02}) for n in range(60))
    with closing(fleet.run(WORK, slow)) as cards:
        next(cards)
    assert len(log.read_text().splitlines()) < len(slow)
    assert len(cards_of(fleet, TASKS)) == len(TASKS)
