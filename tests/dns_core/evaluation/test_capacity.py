"""What archives of other sizes take."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dns_core.errors import CorruptArtefactError, MissingArtefactError, ParamsError
from dns_core.evaluation.capacity import Archive, Figures, Measured, Wishes, plan
from dns_core.evaluation.cost import SearchCost

COST = SearchCost(
    fixed_s=0.005, video_s=2e-7, select_s=0.002, select_video_s=9e-7, list_s=0.001, chunk_s=6e-9, pair_s=6e-5,
    cell_s=1e-8, localise_s=3e-7, whole_to=100_000, shortlist=2000, most_listed=2000, spread=0.1, busy=False,
)  # fmt: skip
BYTES = {"names": 100.0, "coarse": 2000.0, "moments": 300.0, "fine_binary": 20_000.0, "fine_attention": 3e5}
SEARCH = Measured("dns_fine_binary", 0.3, {}, 70, 60.0, COST, BYTES, 40.0, 1.0, 20.0)
FIGURES = Figures("a machine", SEARCH, 0.05, 500.0, 100_000, 0.004)
EASY = Wishes(n_pairs=500, memory_bytes=1e18, disk_bytes=1e18, query_s=3600.0, replicas=2)


def test_a_plan_is_in_proportion_to_videos_and_minutes() -> None:
    small = plan(Archive(100_000, 1.0), FIGURES, EASY)
    large = plan(Archive(10_000_000, 2.0), FIGURES, EASY)
    assert small.storage_bytes == 100_000 * 22_400
    assert large.storage_bytes == 10_000_000 * (100 + 2 * 22_300)
    assert small.memory_bytes == 100_000 * 2500
    assert small.core_hours == pytest.approx(100_000 * 60 * 0.05 / 3600)
    assert large.core_hours == pytest.approx(200 * small.core_hours)
    assert (small.groups, small.holders) == (1, 2)


def test_only_what_was_searched_counts_as_measured() -> None:
    assert plan(Archive(100_000, 1.0), FIGURES, EASY).measured
    beyond = plan(Archive(1_000_000_000, 1.0), FIGURES, EASY)
    assert (beyond.measured, beyond.beyond) == (False, 10_000)


@pytest.mark.parametrize(
    ("wishes", "groups"),
    [
        (replace(EASY, memory_bytes=1e9), 25),  # 25 GB of vectors
        (replace(EASY, disk_bytes=1e11), 3),  # 224 GB of index
        (replace(EASY, n_pairs=10, query_s=0.030), 5),  # 60 ms of codes, and 17 ms that do not shrink
    ],
)
def test_machines_are_as_many_as_memory_disk_and_time_want(wishes: Wishes, groups: int) -> None:
    found = plan(Archive(10_000_000, 1.0), FIGURES, wishes)
    assert (found.groups, found.holders) == (groups, 2 * groups)
    assert found.query_s <= wishes.query_s
    fewer = replace(wishes, memory_bytes=1e18, disk_bytes=1e18)
    assert plan(Archive(10_000_000, 1.0), FIGURES, fewer).groups <= groups


def test_a_goal_that_no_number_of_machines_reaches_is_said() -> None:
    found = plan(Archive(10_000_000, 1.0), FIGURES, replace(EASY, query_s=0.001))
    assert (found.groups, found.holders) == (0, 0)
    assert found.query_s > 0.001


@pytest.mark.parametrize(("n_videos", "minutes"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, float("inf"))])
def test_an_archive_that_is_none_is_refused(n_videos: int, minutes: float) -> None:
    with pytest.raises(ParamsError, match=f"got {n_videos} of"):
        Archive(n_videos, minutes)


def test_wishes_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ParamsError, match="over 0, got 0"):
        replace(EASY, replicas=0)


def test_kept_figures_are_those_of_a_machine_and_files_are_checked(tmp_path: Path) -> None:
    kept = Figures.kept()
    assert kept.source
    assert not kept.search.cost.contradiction()
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(asdict(FIGURES)))
    assert Figures.kept(file) == FIGURES
    file.write_text("{}")
    with pytest.raises(CorruptArtefactError, match=r"no figures of benchmarks\.capacity"):
        Figures.kept(file)
    with pytest.raises(MissingArtefactError):
        Figures.kept(tmp_path / "none.json")
