"""What pairs of an archive amount to."""

from itertools import combinations
from typing import Any

import pytest

from dns_core.records import Segment, VideoProbe
from dns_core.retrieval.groups import best_copy, gathered
from dns_core.retrieval.pair_journal import Pair
from dns_core.retrieval.relation import Relation, covered_s, relation_of, with_compilations


def probe(video_id: str, **facts: Any) -> VideoProbe:
    usual = {
        "duration_s": 60.0,
        "fps": 25.0,
        "width_px": 640,
        "height_px": 360,
        "codec": "h264",
        "rotation_deg": 0,
    }
    return VideoProbe(video_id=video_id, **{**usual, "n_bytes": 1_000_000, "sha256": video_id, **facts})


def stretch(query: tuple[float, float], target: tuple[float, float]) -> Segment:
    return Segment(*query, *target, 0.9)


@pytest.mark.parametrize(
    ("segments", "query_s", "target_s", "relation"),
    [
        ([stretch((0, 60), (0, 60))], 60, 60, "copy"),
        ([stretch((2, 58), (0, 55))], 60, 58, "copy"),
        ([stretch((0, 30), (0, 30)), stretch((25, 60), (26, 60))], 60, 62, "copy"),
        ([stretch((0, 10), (300, 310))], 10, 600, "excerpt"),
        ([stretch((300, 310), (0, 10))], 600, 10, "contains"),
        ([stretch((0, 10), (0, 10))], 600, 700, "overlap"),
        ([stretch((0, 3), (40, 43))], 3.5, 60, "excerpt"),
        ([], 60, 60, "alike"),
    ],
)
def test_what_two_videos_are_to_each_other(
    segments: list[Segment], query_s: float, target_s: float, relation: Relation
) -> None:
    assert relation_of(segments, query_s, target_s) == relation


@pytest.mark.parametrize(
    ("second", "relation"),
    [
        ([stretch((20, 40), (0, 20))], "compilation"),
        ([stretch((1, 19), (0, 20))], "contains"),
        ([], "contains"),
    ],
)
def test_a_query_of_several_videos_in_turn_is_a_compilation(
    second: list[Segment], relation: Relation
) -> None:
    first = [stretch((0, 20), (0, 20))]
    found = with_compilations(["contains", "contains", "copy", None], [first, second, first, []])
    assert found == [relation, relation, "copy", None]


def test_what_lies_in_several_stretches_counts_once() -> None:
    assert covered_s([(5, 6), (0, 4), (1, 2), (3, 5)]) == 6
    assert covered_s([]) == 0


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({"duration_s": 40.0, "width_px": 1920, "height_px": 1080}, "whole"),
        ({"width_px": 320, "height_px": 180, "n_bytes": 9_000_000}, "largest picture"),
        ({"n_bytes": 500_000}, "most bits"),
        ({"codec": "mpeg2video", "n_bytes": 1_500_000}, "most bits"),
        ({}, "as good as the others"),
    ],
)
def test_the_best_copy_is_whole_large_and_of_many_bits(others: dict[str, Any], why: str) -> None:
    best, said = best_copy({"a", "b"}, {"b": probe("b", **others), "a": probe("a")})
    assert best == "a"
    assert why in said
    assert "640 x 360" in said


def test_a_video_without_a_known_file_is_not_preferred() -> None:
    assert best_copy({"a", "b"}, {"b": probe("b")})[0] == "b"
    assert best_copy({"a", "b"}, {}) == ("a", "nothing is known of the files")


def test_copies_are_gathered_through_copies_of_copies() -> None:
    pairs = [
        Pair("a", "b", 0.9, "copy"),
        Pair("c", "d", 0.8, "copy"),
        Pair("b", "c", 1.0, "identical"),
        Pair("x", "y", 0.9, "copy"),
    ]
    probes = {
        name: probe(name, n_bytes=size) for name, size in zip("abcdxy", (4, 3, 2, 1, 9, 8), strict=True)
    }
    large, small = gathered(pairs, probes)
    assert (large.best, large.others, large.freed_bytes) == ("x", ("y",), 8)
    assert (small.kind, small.best, set(small.others), small.freed_bytes) == (
        "copies",
        "a",
        {"b", "c", "d"},
        6,
    )
    assert len(small.pairs) == 3


def test_one_wrong_pair_joins_no_groups() -> None:
    pairs = [Pair(a, b, 0.9, "copy") for names in ("abcd", "wxyz") for a, b in combinations(names, 2)]
    wrong = [Pair("a", "w", 0.85, "copy"), Pair("d", "z", 0.84, "copy")]
    found = [{group.best, *group.others} for group in gathered([*wrong, *pairs], {})]
    assert found == [set("abcd"), set("wxyz")]
    half = [Pair(a, b, 0.8, "copy") for a in "abcd" for b in "wx"]
    (group,) = gathered([*pairs, *half], {})
    assert len(group.others) == 7
    assert len(group.pairs) == len(pairs) + len(half)


def test_a_group_larger_than_a_shortlist_is_one() -> None:
    names = [f"{n:03}" for n in range(100)]
    near = [(a, b) for n, a in enumerate(names) for b in names[n + 1 : n + 16]]
    around = [(names[0], name) for name in names[16:]]
    (group,) = gathered([Pair(a, b, 0.9, "copy") for a, b in near + around], {})
    assert len(group.others) == 99


def test_excerpts_do_not_join_what_they_are_cut_from() -> None:
    pairs = [
        Pair("clip", "film", 0.9, "excerpt"),
        Pair("film", "teaser", 0.8, "contains"),
        Pair("clip", "show", 0.7, "excerpt"),
        Pair("film", "film2", 0.9, "copy"),
        Pair("clip", "film2", 0.9, "excerpt"),
    ]
    groups = gathered(pairs, {"film": probe("film"), "film2": probe("film2", width_px=320)})
    assert [(g.kind, g.best, g.others) for g in groups] == [
        ("copies", "film", ("film2",)),
        ("excerpts", "film", ("clip", "teaser")),
        ("excerpts", "show", ("clip",)),
    ]


def test_a_stretch_that_many_share_is_named_and_joins_no_copies() -> None:
    intro = stretch((0, 10), (0, 10))
    pairs = [Pair(one, other, 0.8, "overlap", (intro,)) for one, other in ("ab", "bc", "cd")]
    pairs.append(Pair("x", "y", 0.8, "overlap", (stretch((20, 30), (50, 60)),)))
    pairs.append(Pair("a", "x", 0.8, "overlap", (stretch((100, 120), (0, 20)),)))
    (group,) = gathered(pairs, {})
    assert (group.kind, group.best, group.others) == ("shared", "a", ("b", "c", "d"))
    assert "10 s that 4 videos share, from 0 s" in group.why
