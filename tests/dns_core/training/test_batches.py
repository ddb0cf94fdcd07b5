"""Ids of videos, of their copies and of excerpts of either."""

import numpy as np

from dns_core.training.batches import (
    FeatureSet,
    excerpt_id,
    random_excerpt,
    source_id,
    source_ids,
    spliced_id,
    view_id,
)


def test_an_excerpt_is_a_stretch_of_a_video_or_copy(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    for video_id in (sources[0], view_id(sources[0], 1)):
        excerpt = excerpt_id(video_id, range(2, 6))
        assert corpus.n_frames(excerpt) == 4
        np.testing.assert_array_equal(corpus.regions(excerpt), corpus.regions(video_id)[2:6])
        assert source_id(excerpt, frozenset(sources)) == sources[0]


def test_a_splice_is_its_parts_in_a_row(corpus: FeatureSet, sources: tuple[str, ...]) -> None:
    parts = (excerpt_id(view_id(sources[0], 1), range(2, 6)), sources[3])
    splice = spliced_id(*parts)
    assert corpus.n_frames(splice) == 4 + corpus.n_frames(sources[3])
    np.testing.assert_array_equal(corpus.regions(splice), np.concatenate([corpus.regions(p) for p in parts]))
    assert source_ids(splice, frozenset(sources)) == {sources[0], sources[3]}


def test_what_features_are_seen_through_is_applied_before_an_excerpt_is_cut(
    corpus: FeatureSet, sources: tuple[str, ...]
) -> None:
    doubled = corpus.seen_through(lambda regions: 2 * regions)
    excerpt = excerpt_id(sources[0], range(2, 6))
    np.testing.assert_array_equal(doubled.regions(excerpt), 2 * corpus.regions(excerpt))
    assert doubled.ids == corpus.ids


def test_a_name_that_looks_like_an_excerpt_is_left_alone() -> None:
    sources = frozenset({"v@1-2", "v"})
    assert source_id("v@1-2", sources) == "v@1-2"
    assert source_id("v@1-2#0", sources) == "v@1-2"
    assert source_id("v@1-2@3-9", sources) == "v@1-2"
    assert source_id("v@3-9", sources) == "v"
    assert source_id("w@3-9#0", frozenset({"w@3-9"})) == "w@3-9"


def test_random_excerpts_are_a_fifth_to_four_fifths_and_never_under_three_frames() -> None:
    rng = np.random.default_rng(0)
    drawn = [random_excerpt(20, rng) for _ in range(300)]
    assert {len(frames) for frames in drawn} == set(range(4, 17))
    assert all(0 <= frames.start < frames.stop <= 20 for frames in drawn)
    assert len({frames.start for frames in drawn}) > 10
    assert {len(random_excerpt(4, rng)) for _ in range(50)} == {3}
    assert random_excerpt(2, rng) == range(2)
