"""What an archive would cost: from the parts of what was measured, and refused where they contradict."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from dashboards.panels.estimate import estimates
from dns_core.errors import InputError
from dns_core.evaluation.capacity import Archive, Measured, measured_rows
from dns_core.evaluation.cost import SearchCost

COST = SearchCost(
    fixed_s=0.005, video_s=2e-7, select_s=0.002, select_video_s=9e-7, list_s=0.001, chunk_s=6e-9, pair_s=6e-5,
    cell_s=1e-7, localise_s=3e-7, whole_to=100_000, shortlist=3000, most_listed=2000, spread=0.1, busy=False,
)  # fmt: skip
BYTES = {"names": 100.0, "coarse": 2000.0, "moments": 300.0, "fine_binary": 20_000.0, "fine_attention": 3e5}


def report(cost: SearchCost = COST) -> Any:
    methods = [("coarse", None), ("fine_binary", None), ("dns_fine_binary", 0.3), ("dns_fine_attention", 0.3)]
    return {
        "database": 88,
        "methods": [{"method": name, "budget": budget, "map": {"DSVR": 0.9}} for name, budget in methods],
        "costs": {
            "search": {"fine_binary": asdict(cost), "fine_attention": asdict(cost)},
            "bytes": BYTES, "frames": 40.0, "chunks": 1.0, "query_frames": 20.0,
        },
    }  # fmt: skip


def rows(cost: SearchCost = COST) -> dict[str, Measured]:
    return {row.method: row for row in measured_rows(report(cost), 60.0, 10.0)}


def found(archive: Archive, method: str = "dns_fine_binary", price: float = 0.0) -> dict[str, str]:
    return {figure.name: figure.value for figure in estimates(archive, rows()[method], price)}


def test_a_million_videos_cost_milliseconds_if_nothing_is_re_ranked_and_not_an_hour() -> None:
    assert rows()["coarse"].seconds(Archive(1_000_000, 1.0)) == pytest.approx(
        0.005 + 0.0006 + 0.007, rel=0.01
    )
    pairs_s = 300_000 * (6e-5 + 800 * 1e-7)
    whole_s = rows()["dns_fine_binary"].seconds(Archive(1_000_000, 1.0))
    assert whole_s == pytest.approx(0.005 + 0.2 + 0.002 + 0.9 + pairs_s, rel=0.01)


def test_storage_is_one_figure_and_the_sum_of_its_parts() -> None:
    row, archive = rows()["dns_fine_binary"], Archive(1000, 2.0)
    assert row.parts(archive) == {
        "names": 1e5, "coarse": 4e6, "moments": 6e5, "fine_binary": 4e7,
    }  # fmt: skip
    assert "fine_attention" not in row.parts(archive)
    assert found(Archive(1000, 1.0))["A video takes"] == "21.9 KiB"


def test_longer_videos_cost_more_where_every_frame_counts() -> None:
    short, long = (rows()["dns_fine_binary"].seconds(Archive(1000, minutes)) for minutes in (1.0, 10.0))
    assert long - short == pytest.approx(9 * 800 * (300 * 1e-7 + 10 * 3e-7) + 9 * 1000 * 2e-7, rel=0.01)


def test_timings_that_contradict_one_another_are_refused_with_the_reason() -> None:
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"video_s": -1e-9}, "a larger index took no longer"),
        ({"cell_s": 0.0}, "re-ranking a video took no longer"),
        ({"spread": 1.7, "busy": True}, "differ by 170%, and other programs kept the machine busy"),
    )
    for wrong, why in cases:
        with pytest.raises(InputError, match=why):
            measured_rows(report(replace(COST, **wrong)), 60.0, 10.0)


def test_indexing_takes_as_long_as_extraction_and_may_have_a_price() -> None:
    priced = found(Archive(6000, 1.0), price=2.0)
    assert priced["Time to index"] == "10 h"
    assert priced["Cost of indexing"] == "20.00"
    assert "Cost of indexing" not in found(Archive(6000, 1.0))


def test_what_was_not_taken_apart_is_not_made_up() -> None:
    older = report()
    del older["costs"]
    assert measured_rows(older, 60.0, 10.0) == []
    assert measured_rows(report(), 0.0, 10.0) == []


@pytest.mark.parametrize(
    "figure", estimates(Archive(10, 5.0), rows()["coarse"], 1.0), ids=lambda figure: figure.name
)
def test_every_figure_says_what_was_measured_and_what_assumed(figure: object) -> None:
    assert getattr(figure, "measured", "")
    assert getattr(figure, "assumed", "")
