"""Laws of ranking, calibration and localisation."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dns_core.records import Float32Array, Float64Array, Segment
from dns_core.retrieval.localisation import matched_segments
from dns_core.retrieval.logistic import Logistic, fit_logistic
from dns_core.retrieval.ranking import best_pairs, falling_order, video_scores

# a busy machine is not a broken law
LAW = settings(deadline=None)
SCORES = st.floats(-1, 1, width=32)


@st.composite
def maps(draw: st.DrawFn) -> Logistic:
    slope = draw(st.floats(0.05, 60))
    return Logistic(slope, draw(st.floats(-60, 16 - slope)))


@LAW
@given(maps(), st.integers(-(10**6), 10**6 - 1))
def test_a_score_higher_in_the_sixth_decimal_has_a_higher_probability(
    logistic: Logistic, millionths: int
) -> None:
    low, high = np.float32(millionths / 1e6), np.float32((millionths + 1) / 1e6)
    assert 0 < logistic(low) < logistic(high) < 1


@LAW
@given(maps(), hnp.arrays(np.float32, st.integers(1, 30), elements=SCORES.map(lambda s: round(s, 6))))
def test_calibration_never_changes_an_order(logistic: Logistic, scores: Float32Array) -> None:
    ids = [f"v{number}" for number in range(len(scores))]
    np.testing.assert_array_equal(falling_order(scores, ids), falling_order(logistic(scores), ids))


@LAW
@given(
    hnp.arrays(np.float64, 20, elements=st.floats(-1, 1)),
    hnp.arrays(np.float64, 20, elements=st.floats(0, 1)),
)
def test_every_fit_is_a_valid_map(
    scores: Float64Array,
    targets: Float64Array,
) -> None:
    found = fit_logistic(scores, targets)
    assert found.slope >= 0.05
    assert found.slope + found.intercept <= 16 + 1e-9


@LAW
@given(st.lists(st.integers(1, 5), min_size=1, max_size=8), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_video_lies_between_its_worst_and_best_pair_of_chunks(
    chunks: list[int], n_query: int, seed: int
) -> None:
    offsets = np.concatenate([[0], np.cumsum(chunks)])
    scores = np.random.default_rng(seed).uniform(-1, 1, (n_query, offsets[-1])).astype(np.float32)
    videos = video_scores(scores, offsets)
    rows, columns = best_pairs(scores, offsets)
    for number, (start, stop) in enumerate(pairwise(offsets)):
        part = scores[:, start:stop]
        assert part.min() - 1e-6 <= videos[number] <= part.max() + 1e-6
        assert start <= columns[number] < stop
        assert scores[rows[number], columns[number]] == part.max()


@LAW
@given(st.data(), st.integers(1, 12), st.integers(1, 12))
def test_the_storage_order_of_videos_does_not_matter(data: st.DataObject, n: int, levels: int) -> None:
    scores = np.array(data.draw(st.lists(st.integers(0, levels), min_size=n, max_size=n)), dtype=np.float64)
    ids = [f"v{number}" for number in range(n)]
    order = data.draw(st.permutations(range(n)))
    moved = falling_order(scores[order], [ids[row] for row in order])
    assert [ids[order[row]] for row in moved] == [ids[row] for row in falling_order(scores, ids)]


@LAW
@given(st.integers(1, 15), st.integers(1, 15), st.floats(-0.5, 0.9), st.integers(0, 2**32 - 1))
def test_segments_lie_in_the_videos_are_long_and_similar_enough_and_do_not_repeat(
    n_query: int, n_target: int, threshold: float, seed: int
) -> None:
    matrix = np.random.default_rng(seed).uniform(-1, 1, (n_query, n_target)).astype(np.float32)
    times = np.arange(n_query, dtype=np.float64), np.arange(n_target, dtype=np.float64)
    segments = matched_segments(matrix, *times, threshold=threshold)
    assert list(segments) == sorted(segments, key=lambda s: (s.query_start_s, s.target_start_s))
    # Half a period less where a segment begins with its video: it does not reach back beyond the first frame.
    shortest = min(3, n_query, n_target) - 0.5
    for segment in segments:
        assert 0 <= segment.query_start_s <= segment.query_end_s - shortest <= n_query - shortest
        assert 0 <= segment.target_start_s <= segment.target_end_s - shortest <= n_target - shortest
        assert threshold <= segment.score <= 1
    for one, other in combinations(segments, 2):
        assert overlap(one, other) <= min(overlap(one, one), overlap(other, other)) / 2


def overlap(one: Segment, other: Segment) -> float:
    """Area, in the plane of query and target time, that two segments share."""
    query_s = min(one.query_end_s, other.query_end_s) - max(one.query_start_s, other.query_start_s)
    target_s = min(one.target_end_s, other.target_end_s) - max(one.target_start_s, other.target_start_s)
    return max(query_s, 0) * max(target_s, 0)
