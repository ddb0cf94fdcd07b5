"""Hits of windows become events: joined, closed, told apart."""

from dataclasses import replace
from typing import Any

import pytest

from dns_core.records import Match, Segment
from dns_core.streams.events import Event, Events, Hit, hits_of

HIT = Hit("a", 0.8, 10.0, 14.0, 30.0, 34.0)


def later(hit: Hit, seconds: float, **changes: Any) -> Hit:
    """The same passage, so many seconds on."""
    moved = Hit(hit.video_id, hit.score, *(
        time_s + seconds for time_s in (hit.start_s, hit.end_s, hit.target_start_s, hit.target_end_s)
    ))  # fmt: skip
    return replace(moved, **changes)


@pytest.fixture
def events() -> Events:
    return Events(gap_s=3.0)


def told(events: Events, hits: list[Hit], now_s: float) -> list[tuple[int, str]]:
    return [(event.number, event.state) for event in events.add(hits, now_s)]


def test_windows_of_one_passage_are_one_event_from_its_start_to_its_end(events: Events) -> None:
    assert told(events, [HIT], 14.0) == [(1, "open")]
    assert told(events, [later(HIT, 2, score=0.9)], 16.0) == []
    assert told(events, [later(HIT, 5)], 19.0) == []
    assert told(events, [], 22.0) == []
    (event,) = events.add([], 22.5)
    assert event == Event(1, "closed", "a", 0.9, 10.0, 19.0, 30.0, 39.0, n_windows=3)
    assert events.open == ()


def test_another_video_or_another_place_of_the_video_is_another_event(events: Events) -> None:
    assert told(events, [HIT, replace(HIT, video_id="b")], 14.0) == [(1, "open"), (2, "open")]
    again = later(HIT, 4.5, target_start_s=60.0, target_end_s=64.0)
    assert told(events, [again], 18.5) == [(3, "open"), (1, "closed"), (2, "closed")]


def test_what_resembles_a_passage_at_other_times_is_that_passage(events: Events) -> None:
    still = replace(HIT, start_s=11.0, end_s=13.0, target_start_s=50.0, target_end_s=52.0)
    assert told(events, [HIT, still], 14.0) == [(1, "open")]
    (event,) = events.finish()
    assert (event.target_start_s, event.target_end_s, event.n_windows) == (30.0, 34.0, 1)


def test_a_passage_that_comes_again_after_a_pause_is_another_event(events: Events) -> None:
    told(events, [HIT], 14.0)
    assert told(events, [later(HIT, 20)], 34.0) == [(2, "open"), (1, "closed")]


def test_the_end_of_the_stream_closes_all(events: Events) -> None:
    told(events, [HIT, replace(HIT, video_id="b")], 14.0)
    assert [event.state for event in events.finish()] == ["closed"] * 2
    assert list(events.finish()) == []


def test_only_so_many_are_open_at_a_time() -> None:
    events = Events(gap_s=3.0, max_open=2)
    for name, end_s in (("a", 14.0), ("b", 13.0), ("c", 14.5)):
        seen = told(events, [replace(HIT, video_id=name, end_s=end_s)], 14.5)
    assert seen == [(2, "closed"), (3, "open")]
    assert {event.video_id for event in events.open} == {"a", "c"}


def test_a_hit_is_a_stretch_of_a_match_that_scores_enough() -> None:
    segments = (Segment(1, 2, 3, 4, 0.9), Segment(5, 6, 7, 8, 0.9))
    matches = [
        Match("a", 0.7, "fine", segments),
        Match("b", 0.4, "fine", segments),
        Match("c", 0.9, "coarse"),
    ]
    assert [(hit.video_id, hit.start_s, hit.target_end_s) for hit in hits_of(matches, 0.5)] == [
        ("a", 1, 4),
        ("a", 5, 8),
    ]
