"""Stages give the same bytes on any fleet, and go on where they were stopped."""

import os
from collections.abc import Generator, Sequence
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.ray_machines import RayMachines
from dns_core.errors import ArtefactError, MismatchError
from dns_core.fleet import Card, Fleet, LocalFleet, Place, Task, Work
from dns_core.params import load_params, run_stage
from dns_core.stages.shared.pair_tasks import PairWorker, scoring
from dns_core.workspace import StageContext, Workspace
from dns_ops.fleet.connection import open_cluster
from dns_ops.fleet.pool import PoolFleet

WRITTEN = {
    "score_pairs@teacher": ["pairs/labelled_teacher.parquet"],
    "label_selector": ["pairs/scored.parquet", "models/calibration.json", "models/background.safetensors"],
}


class Counted:
    """A fleet of which it is known how many tasks it did; it is stopped after some of them."""

    def __init__(self, fleet: Fleet, stops_after: int | None = None) -> None:
        self.fleet, self.stops_after, self.n_done = fleet, stops_after, 0

    def run(self, work: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
        for card in islice(self.fleet.run(work, tasks), self.stops_after):
            self.n_done += 1
            yield card
        if self.stops_after is not None:
            raise KeyboardInterrupt


@pytest.fixture(params=["pool", pytest.param("cluster", marks=pytest.mark.slow)])
def fleet(request: pytest.FixtureRequest) -> Fleet:
    if request.param == "pool":
        return PoolFleet(2, Place(), worth=0)
    machines: RayMachines = request.getfixturevalue("machines")  # skips where Ray is not installed
    return open_cluster(machines.address, Place())


@pytest.fixture(autouse=True)
def _on_the_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs go to the fleet too."""
    monkeypatch.setattr("dns_core.stages.shared.pair_tasks.WORTH", 0)


def run(root: Path, stage: str, fleet: Fleet) -> None:
    name, _, item = stage.partition("@")
    params = load_params(root / "params.yaml")
    run_stage(name, params, StageContext(Workspace(root), item=item, fleet=fleet))


def read(root: Path, stage: str) -> dict[str, bytes]:
    return {path: (root / "artifacts" / path).read_bytes() for path in WRITTEN[stage]}


@pytest.mark.parametrize("stage", WRITTEN)
def test_a_stage_writes_the_bytes_of_one_process(
    stage: str, fleet: Fleet, finished: Path, workspace_copy: Path
) -> None:
    for path in WRITTEN[stage]:
        (workspace_copy / "artifacts" / path).unlink()
    counted = Counted(fleet)
    run(workspace_copy, stage, counted)
    assert counted.n_done > 4
    assert read(workspace_copy, stage) == read(finished, stage)


def test_an_interrupted_stage_scores_only_what_is_left(finished: Path, workspace_copy: Path) -> None:
    stage = "score_pairs@teacher"
    with pytest.raises(KeyboardInterrupt):
        run(workspace_copy, stage, Counted(LocalFleet(), stops_after=3))
    (journal,) = (workspace_copy / "artifacts" / ".partial").glob("*.jsonl")
    with journal.open("a") as file:
        file.write('["cut off", {"sco')
    rest, whole = Counted(LocalFleet()), Counted(LocalFleet())
    run(workspace_copy, stage, rest)
    assert read(workspace_copy, stage) == read(finished, stage)
    assert not journal.exists()
    run(workspace_copy, stage, whole)
    assert rest.n_done == whole.n_done - 3


def test_answers_about_other_features_are_not_taken(workspace_copy: Path) -> None:
    stage = "score_pairs@teacher"
    with pytest.raises(KeyboardInterrupt):
        run(workspace_copy, stage, Counted(LocalFleet(), stops_after=3))
    os.utime(workspace_copy / "artifacts" / "whitened" / "views.hdf5")
    rest, whole = Counted(LocalFleet()), Counted(LocalFleet())
    run(workspace_copy, stage, rest)
    run(workspace_copy, stage, whole)
    assert rest.n_done == whole.n_done


def test_a_query_on_which_workers_die_ends_the_stage(workspace_copy: Path) -> None:
    class Dying:
        def run(self, _: Work, tasks: Sequence[Task]) -> Generator[Card, None, None]:
            yield Card(tasks[0].id, {}, "corrupt", "the worker died on it, 3 times")

    with pytest.raises(ArtefactError, match=r"expected scores of \S+, found none: the worker died on it"):
        run(workspace_copy, "score_pairs@teacher", Dying())


def test_a_worker_with_another_network_is_refused(finished: Path) -> None:
    work = scoring(Workspace(finished), "teacher", 8)
    with pytest.raises(MismatchError, match=r"teacher\.safetensors"):
        PairWorker({**work.settings, "fingerprint": "0123456789abcdef"}, Place())
