"""What an archive would cost: in proportion to what was measured, and saying so."""

import pytest

from dashboards.panels.estimate import Archive, Measured, estimates, measured_rows

ROW = Measured("DnS binary", 0.3, 100, 60.0, 22_000, 0.020, 2_000, 0.004, 10.0)


def found(archive: Archive, row: Measured = ROW, price: float = 0.0) -> dict[str, str]:
    return {figure.name: figure.value for figure in estimates(archive, row, price)}


def test_the_archive_that_was_measured_costs_what_was_measured() -> None:
    same = found(Archive(100, 1.0))
    assert same["Storage"] == "2.1 MiB"
    assert same["Memory"] == "195.3 KiB"
    assert same["Time a query"] == "20 ms"


def test_ten_times_the_videos_cost_ten_times() -> None:
    more = found(Archive(1000, 1.0))
    assert more["Time a query"] == "200 ms"
    assert more["Storage"] == "21.0 MiB"


def test_longer_videos_cost_more_where_every_frame_counts_and_nothing_where_none_does() -> None:
    longer = found(Archive(100, 10.0))
    assert longer["Memory"] == "195.3 KiB"
    assert longer["Storage"] == "19.3 MiB"
    assert longer["Time a query"] == "164 ms"


def test_indexing_takes_as_long_as_extraction_and_may_have_a_price() -> None:
    priced = found(Archive(6000, 1.0), price=2.0)
    assert priced["Time to index"] == "10 h"
    assert priced["Cost of indexing"] == "20.00"
    assert "Cost of indexing" not in found(Archive(6000, 1.0))


def test_what_was_not_measured_is_unknown() -> None:
    never = Measured("coarse", None, 100, 0.0, 2_000, 0.004, 2_000, 0.004, 0.0)
    assert found(Archive(10, 5.0), never)["Time to index"] == "unknown"
    assert measured_rows({"database": 3, "methods": []}, 0.0, 0.0) == []


@pytest.mark.parametrize("figure", estimates(Archive(10, 5.0), ROW, 1.0), ids=lambda figure: figure.name)
def test_every_figure_says_what_was_measured_and_what_assumed(figure: object) -> None:
    assert getattr(figure, "measured", "")
    assert getattr(figure, "assumed", "")
