"""One frame finds its video and its moment."""

import numpy as np
import pytest

from dns_core.errors import ParamsError
from dns_core.index import Index
from dns_core.records import VideoFeatures
from dns_core.retrieval.budget import Budget
from dns_core.retrieval.bundle import Bundle
from dns_core.retrieval.engine import Engine
from dns_core.retrieval.pictures import search_any, search_picture


@pytest.mark.parametrize("fine", ["fine_binary", "fine_attention"])
def test_each_frame_is_found_where_it_is(
    bundle: Bundle, index: Index, videos: dict[str, VideoFeatures], fine: str
) -> None:
    engine = Engine(index, bundle, fine=fine)
    for name in ("v03", "v09", "v11"):
        frame = videos[name].n_frames - 2
        picture = videos[name].window(frame, frame + 1)
        result = search_any(engine, picture, top_k=3, budget=Budget.parse("0"))
        best = result.results[0]
        assert best.video_id == name
        assert best.segments[0].target_start_s == frame
        assert result.results[1].segments[0].score < best.segments[0].score
        if fine == "fine_binary":  # codes of equal frames are equal; attention weighs what is compared
            assert best.score == pytest.approx(1)
        assert len(result.results) == 3


def test_all_are_ranked_and_equal_videos_by_name(
    bundle: Bundle, index: Index, videos: dict[str, VideoFeatures]
) -> None:
    result = search_picture(Engine(index, bundle), videos["v05"].window(3, 4), top_k=0)
    assert [match.video_id for match in result.results[:3]] == ["a copy of v05", "copy of v05", "v05"]
    assert len(result.results) == index.n_videos
    scores = [match.score for match in result.results]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    with pytest.raises(ParamsError):
        search_picture(Engine(index, bundle), videos["v05"].window(3, 4), top_k=-1)


def test_more_frames_are_no_picture(bundle: Bundle, index: Index, videos: dict[str, VideoFeatures]) -> None:
    engine, budget = Engine(index, bundle), Budget.parse("1")
    found = search_any(engine, videos["v05"], top_k=5, budget=budget).results
    assert found == engine.search(videos["v05"], top_k=5, budget=budget).results
    assert np.isfinite([match.score for match in found]).all()
