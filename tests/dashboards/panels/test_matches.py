import re

import pytest

from dashboards.panels.matches import best_segment, matched_moment, thumbnail_moment, timeline_html
from dns_apps.service.schemas import MatchRow, Segment


def segment(query: tuple[float, float], target: tuple[float, float]) -> Segment:
    return Segment(
        query_start_s=query[0],
        query_end_s=query[1],
        target_start_s=target[0],
        target_end_s=target[1],
        score=0.5,
    )


def match(*segments: Segment) -> MatchRow:
    return MatchRow(rank=1, video_id="a.mp4", score=0.5, stage="fine", segments=segments)


def marks(html: str) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in re.findall(r"left:([\d.]+)%;width:([\d.]+)%", html)]


def test_the_longest_stretch_is_the_moment_and_the_earlier_of_two_that_are_equal() -> None:
    short, first, second = segment((0, 1), (5, 6)), segment((2, 6), (10, 14)), segment((3, 7), (20, 24))
    assert best_segment((short, second, first)) == first
    assert matched_moment(match(short, second, first)) == (2, 10)
    assert thumbnail_moment(match(short, second, first)) == 12


def test_a_match_without_stretches_begins_at_the_beginning() -> None:
    assert best_segment(()) is None
    assert matched_moment(match()) == (0, 0)
    assert thumbnail_moment(match()) == 0


def test_the_bars_show_where_in_query_and_video_the_match_lies() -> None:
    html = timeline_html(match(segment((15, 20), (25, 50))), (10, 20), 100)
    assert marks(html) == [(50, 50), (25, 25)]
    assert "0:15.0-0:20.0 = 0:25.0-0:50.0" in html
    assert re.findall(r'title="length">([\d:.]+)<', html) == [
        "0:10.0",
        "1:40.0",
    ]


@pytest.mark.parametrize("target", [(-5, -1), (200, 300), (99.9, 100)])
def test_a_stretch_outside_of_the_video_stays_inside_the_bar(target: tuple[float, float]) -> None:
    for left, width in marks(timeline_html(match(segment((0, 1), target)), (0, 10), 100)):
        assert left >= 0
        assert width > 0
        assert left + width <= 100.01


def test_an_unknown_duration_ends_with_the_last_stretch() -> None:
    assert marks(timeline_html(match(segment((0, 10), (0, 40))), (0, 10), 0))[1] == (0, 100)
