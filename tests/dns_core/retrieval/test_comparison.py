from collections.abc import Callable

import numpy as np
import pytest

from dns_core.errors import InputError
from dns_core.index import Index
from dns_core.records import VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.comparison import compare
from dns_core.retrieval.engine import Engine

MakeFeatures = Callable[[str, int], VideoFeatures]


@pytest.mark.parametrize("fine", ["fine_binary", "fine_attention", "teacher"])
def test_a_video_matches_itself(bundle: Bundle, make_features: MakeFeatures, fine: str) -> None:
    video, unrelated_id = make_features("a", 12), make_features("b", 20)
    same, other = compare(video, video, bundle, fine), compare(video, unrelated_id, bundle, fine)
    assert same.score > other.score
    assert same.calibrated > other.calibrated
    assert same.matrix.shape == (12, 12)
    assert other.matrix.shape == (12, 20)
    assert other.segments == ()
    (segment,) = same.segments
    assert (segment.query_start_s, segment.query_end_s, segment.target_end_s) == (0, 12, 12)
    assert segment.score == pytest.approx(float(np.diagonal(same.matrix).mean()), abs=1e-6)


@pytest.mark.parametrize("fine", ["fine_binary", "fine_attention"])
def test_a_comparison_agrees_with_a_search(
    index: Index, bundle: Bundle, videos: dict[str, VideoFeatures], fine: str
) -> None:
    # all of these are one chunk in the index as here
    query = videos["v06"]
    result = Engine(index, bundle, fine=fine).search(query, top_k=14, budget=Budget(share=1))
    for match in result.results:
        target = videos[match.video_id]
        if target.n_frames <= 16:
            comparison = compare(query, target, bundle, fine)
            assert comparison.calibrated == pytest.approx(match.score, abs=1e-6)
            assert match.segments == comparison.segments


def test_a_video_of_several_chunks_matches_an_excerpt(bundle: Bundle, make_features: MakeFeatures) -> None:
    video = make_features("long", 300)
    excerpt = VideoFeatures("excerpt", video.regions[140:170], video.times_s[140:170] - 140)
    comparison = compare(excerpt, video, bundle)
    assert comparison.matrix.shape == (30, 300)
    assert [
        (s.query_start_s, s.query_end_s, s.target_start_s, s.target_end_s) for s in comparison.segments
    ] == [(0, 30, 139.5, 169.5)]
    whole = compare(video, video, bundle)
    assert [(s.query_start_s, s.query_end_s, s.target_start_s, s.target_end_s) for s in whole.segments] == [
        (0, 300, 0, 300)
    ]


def _beside(first: VideoFeatures, second: VideoFeatures) -> VideoFeatures:
    """A video that shows ``second`` in a window of ``first``."""
    regions, times_s = (
        np.concatenate([getattr(v, name) for v in (first, second)]) for name in ("regions", "times_s")
    )
    return VideoFeatures("composed", regions, times_s)


@pytest.mark.parametrize("turned", [False, True])
def test_a_window_matches_its_source_in_both_directions(
    bundle: Bundle, make_features: MakeFeatures, *, turned: bool
) -> None:
    source, around = make_features("source", 12), make_features("around", 20)
    pair = (source, _beside(around, source)) if turned else (_beside(around, source), source)
    found, alone = compare(*pair, bundle), compare(source, source, bundle)
    assert found.score == alone.score
    assert found.segments == alone.segments
    np.testing.assert_array_equal(found.matrix, alone.matrix)
    assert compare(_beside(around, source), make_features("b", 9), bundle).segments == ()


def test_panes_are_cut_into_chunks_one_by_one(
    index: Index, bundle: Bundle, make_features: MakeFeatures, videos: dict[str, VideoFeatures]
) -> None:
    query = _beside(make_features("around", 40), videos["v10"])
    best, second, *_ = Engine(index, bundle).search(query, budget=Budget(share=1)).results
    assert best.video_id == "v10"
    assert best.score > second.score
    (segment,) = best.segments
    assert (segment.query_start_s, segment.query_end_s) == (0, 40)


def test_what_cannot_be_compared_is_refused(bundle: Bundle, make_features: MakeFeatures) -> None:
    with pytest.raises(InputError, match="has no frame"):
        compare(make_features("a", 3), make_features("b", 0), bundle)
    with pytest.raises(InputError, match="none of the fine networks"):
        compare(make_features("a", 3), make_features("b", 3), bundle, "coarse")
